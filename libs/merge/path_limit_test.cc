// What a merge makes of paths is bounded, however long the names above the places that changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/merge/choose.h"
#include "libs/merge/take_back.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using ::bdcsync::testing::HasReason;
using json::Object;
using json::Value;

constexpr size_t kMiB = size_t{1} << 20;

// {"<name>": {"0": value, "1": value, …}}
Value Below(const std::string& name, int members, int value) {
  Object below;
  for (int i = 0; i < members; ++i) below.Set(absl::StrCat(i), value);
  return Object{{name, std::move(below)}};
}

RuleSet Rules(absl::string_view text) { return *ParseRuleSet(*json::Parse(text)); }

// Leaves what it is asked about open.
class Listener final : public RuleEvaluator {
 public:
  Answer Evaluate(const Question& question) override {
    path_bytes += question.path.size();
    Answer open;
    open.kind = Answer::Kind::kPending;
    return open;
  }
  size_t path_bytes = 0;
};

TEST(PathLimitTest, PathsMayTakeAsMuchAsIsSaidAndNoMore) {
  // Ten paths "/ab/<digit>".
  const Value base = Below("ab", 10, 1);
  MergeOptions options{.path_bytes_max = 50};
  const auto merged = Merge(base, Below("ab", 10, 2), Below("ab", 10, 3), options);
  ASSERT_OK(merged);
  EXPECT_EQ(merged->decisions.size(), 10);
  options.path_bytes_max = 49;
  const auto refused = Merge(base, Below("ab", 10, 2), Below("ab", 10, 3), options);
  EXPECT_THAT(refused, HasReason(Reason::kTooLarge));
}

TEST(PathLimitTest, ChangesOfOneSideCountToo) {
  const Value base = Below("ab", 10, 1);
  EXPECT_THAT(Merge(base, base, Below("ab", 10, 2), {.path_bytes_max = 49}),
              HasReason(Reason::kTooLarge));
}

TEST(PathLimitTest, ManyChangesBelowALongNameAreRefusedBeforeTheyFillTheMemory) {
  const std::string name(kMiB / 4, 'n');
  constexpr int kMembers = 400;  // Whose paths take 100 MiB.
  size_t made = 0;
  const auto later_at = [&made](const std::string& path) {
    made += path.size();
    return Side::kOurs;
  };
  const auto merged = Merge(Below(name, kMembers, 1), Below(name, kMembers, 2),
                            Below(name, kMembers, 3), {.later_at = later_at});
  EXPECT_THAT(merged, HasReason(Reason::kTooLarge));
  EXPECT_GT(made, kPathBytesMax / 3);
  EXPECT_LE(made, kPathBytesMax);
}

TEST(PathLimitTest, NobodyIsAskedAboutPlacesWithoutAPath) {
  const std::string name(kMiB / 4, 'n');
  constexpr int kMembers = 400;
  const RuleSet rules =
      Rules(R"({"rules": [{"path": "$.*.*", "rule": "remote", "resolver": "r"}]})");
  Listener listener;
  const auto merged = Merge(Below(name, kMembers, 1), Below(name, kMembers, 2),
                            Below(name, kMembers, 3), {.rules = &rules, .evaluator = &listener});
  EXPECT_THAT(merged, HasReason(Reason::kTooLarge));
  EXPECT_GT(listener.path_bytes, kPathBytesMax / 3);
  EXPECT_LE(listener.path_bytes, kPathBytesMax);
}

TEST(PathLimitTest, ElementsAreNamedByLongKeysAndNotesAreMadeAboutThemToo) {
  const RuleSet rules = Rules(R"json([{"path": "$", "rule": "keyed_list(id)"},
                                      {"path": "$[*].*", "rule": "keyed_list(id)"}])json");
  const auto element = [](int value) {
    Object lists{{"id", std::string(1000, 'i')}};
    // Elements without keys: a note for each list.
    for (int i = 0; i < 100; ++i) lists.Set(absl::StrCat(i), json::Array{Value(value)});
    return Value(json::Array{std::move(lists)});
  };
  MergeOptions options{.rules = &rules, .path_bytes_max = kMiB};
  ASSERT_OK_AND_ASSIGN(const MergeResult merged,
                       Merge(element(1), element(1), element(2), options));
  EXPECT_GE(merged.notes.size(), 100);
  options.path_bytes_max = 100'000;  // Notes alone take more.
  EXPECT_THAT(Merge(element(1), element(1), element(2), options), HasReason(Reason::kTooLarge));
}

TEST(PathLimitTest, ChoosingAndTakingBackAreRefusedAlike) {
  const Value base = Below("ab", 10, 1);
  const Value theirs = Below("ab", 10, 2);
  const Value ours = Below("ab", 10, 3);
  const MergeOptions options{.path_bytes_max = 49};
  EXPECT_THAT(Choose(base, theirs, ours, {}, {.merge = options}), HasReason(Reason::kTooLarge));
  ASSERT_OK_AND_ASSIGN(const MergeResult merged, Merge(base, theirs, ours));
  EXPECT_THAT(TakeBack(merged.decisions, {}, merged.value, merged.value, options),
              HasReason(Reason::kTooLarge));
}

}  // namespace
}  // namespace bdcsync::merge
