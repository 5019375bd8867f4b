#include "services/version/text_trail.h"

#include <gtest/gtest.h>

#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::version {
namespace {

TextStep Step(int64_t revision, const std::string& path = "/t") {
  TextStep step{.version = {revision, static_cast<uint64_t>(revision) * 7}};
  step.text = TextChange{path, ot::Delta().InsertText("x")};
  return step;
}

TextTrail Trail(int64_t from, int64_t to) {
  TextTrail trail({from, static_cast<uint64_t>(from) * 7});
  for (int64_t revision = from + 1; revision <= to; ++revision) trail.Add(Step(revision));
  return trail;
}

TEST(TextTrail, KnowsItsVersions) {
  const TextTrail trail = Trail(3, 5);
  EXPECT_EQ(trail.VersionAt(2), std::nullopt);
  EXPECT_EQ(trail.VersionAt(3), (entity::VersionId{3, 21}));
  EXPECT_EQ(trail.VersionAt(5), (entity::VersionId{5, 35}));
  EXPECT_EQ(trail.VersionAt(6), std::nullopt);
  EXPECT_EQ(trail.StepTo(4).version.revision, 4);
}

TEST(TextTrail, KeepsNoMoreStepsAndBytesThanItMay) {
  TextTrail trail = Trail(0, 10);
  const size_t one = Step(1).bytes();
  EXPECT_EQ(trail.bytes(), 10 * one);
  trail.Trim(10, 10 * one);
  EXPECT_EQ(trail.size(), 10u);
  trail.Trim(9, 10 * one);
  EXPECT_EQ(trail.size(), 9u);
  EXPECT_EQ(trail.from(), (entity::VersionId{1, 7}));
  trail.Trim(9, 9 * one - 1);
  EXPECT_EQ(trail.size(), 8u);
  EXPECT_EQ(trail.bytes(), 8 * one);
  trail.Trim(9, 0);
  EXPECT_EQ(trail.size(), 0u);
  EXPECT_EQ(trail.to(), (entity::VersionId{10, 70}));
}

TEST(TextTrail, RewindsAndJoins) {
  TextTrail trail = Trail(0, 4);
  trail.Rewind(2);
  EXPECT_EQ(trail.to().revision, 2);
  trail.Rewind(2);
  trail.Join(Trail(2, 6));
  EXPECT_EQ(trail.to().revision, 6);
  EXPECT_EQ(trail.StepTo(5).version.revision, 5);
  EXPECT_EQ(trail.bytes(), 6 * Step(1).bytes());
}

TEST(TextStep, TellsWhatItMeansForAText) {
  using Bearing = TextStep::Bearing;
  EXPECT_EQ(Step(1).BearingOn("/t"), Bearing::kKnown);
  EXPECT_EQ(Step(1).BearingOn("/u"), Bearing::kNone);
  EXPECT_EQ(Step(1).BearingOn("/t/0/insert"), Bearing::kUnknown);
  TextStep other{.version = {1, 7}, .changed_paths = {"/a", "/t/x"}};
  EXPECT_EQ(other.BearingOn("/t"), Bearing::kUnknown);
  EXPECT_EQ(other.BearingOn("/u"), Bearing::kNone);
  other.changed_paths = {""};
  EXPECT_EQ(other.BearingOn("/u"), Bearing::kUnknown);
}

TEST(TextStep, IsReadFromADescription) {
  v1::VersionMeta meta;
  meta.set_operation(common::v1::OPERATION_KIND_TEXT);
  meta.set_text(R"({"path":"/t","ops":[{"insert":"x"}]})");
  meta.add_changed_paths("/t");
  EXPECT_TRUE(StepOf({1, 7}, meta).text.has_value());
  meta.clear_text();  // It was too large to be kept.
  EXPECT_EQ(StepOf({1, 7}, meta).BearingOn("/t"), TextStep::Bearing::kUnknown);
  EXPECT_EQ(StepOf({1, 7}, meta).BearingOn("/u"), TextStep::Bearing::kNone);
  EXPECT_EQ(StepOf({1, 7}, v1::VersionMeta()).BearingOn("/u"), TextStep::Bearing::kUnknown);
}

}  // namespace
}  // namespace bdcsync::version
