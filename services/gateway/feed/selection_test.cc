#include "services/gateway/feed/selection.h"

#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "libs/entity/version_id.h"

namespace bdcsync::gateway {
namespace {

constexpr char kState[] =
    R"({"name":"Ada","selection":{"entity_type":"note","entity_id":"n","path":"/t",)"
    R"("version_id":"3-0000000000000003","anchor":2,"head":4}})";

FeedEventPtr Event(int64_t revision, const std::string& text, const std::string& id = "n",
                   int64_t seq = 0) {
  event_store::v1::Event event;
  event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  event.mutable_stream()->set_name("note:main:" + id);
  event.set_seq(seq == 0 ? revision : seq);
  event.set_revision(revision);
  event.set_event_id(static_cast<uint64_t>(revision));
  version::v1::VersionMeta meta;
  meta.set_user_id("eve");
  meta.set_text(text);
  event.set_meta(meta.SerializeAsString());
  return std::make_shared<FeedEvent>(std::move(event));
}
std::string Text(const std::string& ops, const std::string& path = "/t") {
  return absl::StrCat("{\"path\":\"", path, "\",\"ops\":", ops, "}");
}
void Move(Selection& selection, const FeedEventPtr& event, bool own) {
  EventText text(*event);
  selection.MoveOver(text, own);
}
std::string Moved(int64_t revision, int anchor, int head) {
  return absl::StrCat(
      R"({"name":"Ada","selection":{"entity_type":"note","entity_id":"n","path":"/t",)",
      R"("version_id":")", entity::MakeVersionId(revision, static_cast<uint64_t>(revision)),
      R"(","anchor":)", anchor, R"(,"head":)", head, "}}");
}

TEST(Selection, MovesWithItsText) {
  auto selection = Selection::Of(kState);
  ASSERT_TRUE(selection.has_value());
  EXPECT_EQ(selection->In(kState), kState);
  Move(*selection, Event(4, Text(R"([{"insert":"xyz"}])")), false);
  EXPECT_EQ(selection->In(kState), Moved(4, 5, 7));
  Move(*selection, Event(5, Text(R"([{"retain":4},{"delete":2}])")), false);
  EXPECT_EQ(selection->In(kState), Moved(5, 4, 5));
}

TEST(Selection, IsPushedByWhatItsOwnerInsertsThere) {
  auto selection = Selection::Of(kState);
  Move(*selection, Event(4, Text(R"([{"retain":4},{"insert":"x"}])")), false);
  EXPECT_EQ(selection->In(kState), Moved(4, 2, 4));
  Move(*selection, Event(5, Text(R"([{"retain":4},{"insert":"x"}])")), true);
  EXPECT_EQ(selection->In(kState), Moved(5, 2, 5));
}

TEST(Selection, OtherTextsAndOtherOperationsOnlyMoveItsVersion) {
  auto selection = Selection::Of(kState);
  Move(*selection, Event(4, Text(R"([{"insert":"x"}])", "/u")), false);
  Move(*selection, Event(5, ""), false);
  EXPECT_EQ(selection->In(kState), Moved(5, 2, 4));
  Move(*selection, Event(6, Text(R"([{"insert":"x"}])"), "other"), false);
  EXPECT_EQ(selection->In(kState), Moved(5, 2, 4));
}

TEST(Selection, StaysWhereAnEventIsMissing) {
  auto selection = Selection::Of(kState);
  Move(*selection, Event(5, Text(R"([{"insert":"x"}])")), false);
  Move(*selection, Event(3, Text(R"([{"insert":"x"}])")), false);
  EXPECT_FALSE(selection->moved());
  EXPECT_EQ(selection->In(kState), kState);
}

TEST(Selection, PlacesBeyondAnyTextAreNone) {
  const auto with = [](int64_t revision, int64_t anchor) {
    return absl::StrCat(
        R"({"selection":{"entity_type":"note","entity_id":"n","path":"/t","version_id":")",
        entity::MakeVersionId(revision, 3), R"(","anchor":)", anchor, R"(,"head":0}})");
  };
  EXPECT_FALSE(Selection::Of(with(3, std::numeric_limits<int64_t>::max())).has_value());
  auto furthest = Selection::Of(with(3, (int64_t{1} << 53) - 1));
  ASSERT_TRUE(furthest.has_value());
  Move(*furthest, Event(4, Text(R"([{"insert":"xyz"}])")), false);
  EXPECT_TRUE(furthest->moved());
  auto last = Selection::Of(with(std::numeric_limits<int64_t>::max(), 0));
  ASSERT_TRUE(last.has_value());
  Move(*last, Event(4, Text(R"([{"insert":"xyz"}])")), false);
  EXPECT_FALSE(last->moved());
}

TEST(Selection, CatchesUpFromRecentEvents) {
  EventRing ring(5000, 64 << 20);
  ring.Reset(0);
  for (int64_t seq = 1; seq <= 6; ++seq) {
    const bool ours = seq % 2 == 0;  // Revisions 3, 4, 5 with others between.
    ring.Append(
        Event(ours ? 2 + seq / 2 : seq, Text(R"([{"insert":"x"}])"), ours ? "n" : "other", seq));
  }
  auto selection = Selection::Of(kState);
  selection->MoveOver(ring, "ada", "");
  EXPECT_EQ(selection->In(kState), Moved(5, 4, 6));
}

TEST(Selection, LooksNoFurtherBackThanItMay) {
  for (const int64_t others : {kSelectionEventsMax - 1, kSelectionEventsMax}) {
    EventRing ring(5000, 64 << 20);
    ring.Reset(0);
    ring.Append(Event(4, Text(R"([{"insert":"x"}])"), "n", 1));
    for (int64_t seq = 2; seq <= others + 1; ++seq) ring.Append(Event(seq, "", "other", seq));
    auto selection = Selection::Of(kState);
    selection->MoveOver(ring, "ada", "");
    EXPECT_EQ(selection->moved(), others < kSelectionEventsMax);
  }
}

TEST(Selection, MovesOverNoMoreThanItMay) {
  const auto text_of = [](size_t bytes) {
    const size_t rest = Text(R"([{"insert":""}])").size();
    return Text(absl::StrCat("[{\"insert\":\"", std::string(bytes - rest, 'x'), "\"}]"));
  };
  for (const size_t bytes : {kSelectionBytesMax, kSelectionBytesMax + 1}) {
    EventRing ring(5000, 64 << 20);
    ring.Reset(0);
    ring.Append(Event(4, text_of(bytes / 2), "n", 1));
    ring.Append(Event(9, text_of(kSelectionBytesMax), "other", 2));
    ring.Append(Event(5, text_of(bytes - bytes / 2), "n", 3));
    auto selection = Selection::Of(kState);
    selection->MoveOver(ring, "ada", "");
    EXPECT_EQ(selection->moved(), bytes == kSelectionBytesMax);
    if (!selection->moved()) {
      EXPECT_EQ(selection->In(kState), kState);
    }
  }
}

TEST(Selection, WhatIsNotOneIsLeftAlone) {
  for (const char* state :
       {"{}", R"({"selection":7})", R"({"selection":{"anchor":1,"head":2}})",
        R"({"selection":{"entity_type":"note","entity_id":"n","path":"/t","version_id":"x",
            "anchor":1,"head":2}})",
        R"({"selection":{"entity_type":"note","entity_id":"n","path":"/t",
            "version_id":"3-0000000000000003","anchor":-1,"head":2}})"}) {
    EXPECT_FALSE(Selection::Of(state).has_value()) << state;
  }
}

}  // namespace
}  // namespace bdcsync::gateway
