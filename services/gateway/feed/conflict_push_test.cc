// What subscribers are told of conflicts: each opening and closing once, in its place among the
// changes, with a cursor of its own; the open ones to those who get the state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/feed_testing.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ConflictPushTest : public FeedFixture {
 protected:
  ConflictPushTest() {
    caller_.spaces["team"] = Access::kRead;
    MakeEngine();
  }
  // To "team", and has had what there is.
  std::unique_ptr<FakeSink> Follow(SubscriptionSpec spec = {}) {
    auto sink = FeedFixture::Follow(std::move(spec));
    Settle();
    return sink;
  }
  std::unique_ptr<FakeSink> FollowFrom(int64_t seq, SubscriptionMode mode) {
    SubscriptionSpec spec;
    spec.cursor = CursorAt(seq);
    spec.mode = mode;
    return Follow(spec);
  }
};

TEST_F(ConflictPushTest, AnOpeningAndItsClosingAreToldLiveInTheirPlaceAmongTheChanges) {
  const auto sink = Follow();
  log_.Commit("team", "a", "1");
  log_.CommitConflict("team", "a", "c1", /*opens=*/true);
  log_.Commit("team", "a", "2");
  log_.CommitConflict("team", "a", "c1", /*opens=*/false);
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a", "3 update a"));
  EXPECT_THAT(sink->ToldOfConflicts(),
              ElementsAre("2 conflict_opened c1 of 1", "4 conflict_closed c1 of 0"));
  std::vector<std::string> cursors;
  for (const FakeSink::Message& message : sink->messages) cursors.push_back(message.cursor);
  EXPECT_THAT(cursors,
              ElementsAre(CursorAt(0), CursorAt(1), CursorAt(2), CursorAt(3), CursorAt(4)));
  EXPECT_EQ(sink->caught_up_count(), 1);
}

TEST_F(ConflictPushTest, TheMessageHoldsTheConflict) {
  const auto sink = Follow();
  log_.CommitConflict("team", "a", "c1", /*opens=*/true);
  Settle();
  ASSERT_TRUE(sink->messages.back().conflict.has_value());
  const json::Value& news = *sink->messages.back().conflict;
  EXPECT_EQ(news.Find("subscription_id")->string(), "s");
  EXPECT_EQ(news.Find("space")->string(), "team");
  EXPECT_EQ(news.Find("entity_type")->string(), "note");
  EXPECT_EQ(news.Find("entity_id")->string(), "a");
  EXPECT_EQ(news.Find("branch")->string(), "conflict/c1");
  EXPECT_EQ(news.Find("status")->string(), "open");
}

TEST_F(ConflictPushTest, CatchUpTellsEachOnceWhereverTheCursorStands) {
  log_.Commit("team", "a", "1");
  log_.CommitConflict("team", "a", "c1", true);
  log_.CommitConflict("team", "a", "c2", true);
  log_.Commit("team", "b", "1");
  log_.CommitConflict("team", "a", "c1", false);
  const std::vector<std::string> all = {"2 conflict_opened c1 of 1", "3 conflict_opened c2 of 2",
                                        "5 conflict_closed c1 of 1"};
  for (int64_t seq = 0; seq <= 5; ++seq) {
    FeedLimits limits;
    limits.page_events_max = static_cast<int32_t>(1 + seq % 3);
    MakeEngine(limits);
    const auto sink = FollowFrom(seq, SubscriptionMode::kChanges);
    std::vector<std::string> wanted;
    for (const std::string& line : all) {
      if (std::stoll(line) > seq) wanted.push_back(line);
    }
    EXPECT_EQ(sink->ToldOfConflicts(), wanted) << seq;
    EXPECT_EQ(sink->messages.back().cursor, CursorAt(5)) << seq;
    EXPECT_EQ(sink->caught_up_count(), 1) << seq;
  }
}

TEST_F(ConflictPushTest, TheStateTellsTheOpenOnesAlone) {
  log_.Commit("team", "a", "1");
  log_.CommitConflict("team", "a", "c1", true);
  log_.CommitConflict("team", "a", "c2", true);
  log_.CommitConflict("team", "a", "c3", true);
  log_.CommitConflict("team", "a", "c1", false);
  log_.CommitConflict("team", "b", "c4", true);
  log_.CommitConflict("team", "b", "c4", false);
  const std::vector<std::string> open = {"5 conflict_opened c2 of 2", "5 conflict_opened c3 of 2"};
  const auto paged = Follow();  // From the log …
  EXPECT_EQ(paged->ToldOfConflicts(), open);
  // … where only the last of one place carries the cursor: all or none are told again.
  std::vector<std::string> cursors;
  for (const FakeSink::Message& message : paged->messages) {
    if (message.conflict.has_value()) cursors.push_back(message.cursor);
  }
  ASSERT_THAT(cursors, SizeIs(2));
  EXPECT_EQ(cursors[0], "");
  EXPECT_NE(cursors[1], "");
  // … and from the recent events, once somebody has read all of them.
  const auto all = FollowFrom(0, SubscriptionMode::kChanges);
  const auto recent = Follow();
  EXPECT_EQ(recent->ToldOfConflicts(), open);
  log_.CommitConflict("team", "a", "c2", false);
  Settle();
  EXPECT_EQ(recent->ToldOfConflicts().back(), "8 conflict_closed c2 of 1");
}

TEST_F(ConflictPushTest, LatestSkipsWhatLaterOnesSupersede) {
  log_.CommitConflict("team", "a", "c1", true);
  log_.CommitConflict("team", "a", "c2", true);
  log_.CommitConflict("team", "a", "c1", false);
  FeedLimits limits;
  limits.ring_events_max = 1;
  MakeEngine(limits);
  const auto sink = FollowFrom(1, SubscriptionMode::kLatest);
  EXPECT_THAT(sink->ToldOfConflicts(), ElementsAre("3 conflict_closed c1 of 1"));
}

// With what is told of conflicts between the versions, from the log and from the recent events, and
// wherever the reader stops and comes back.
TEST_F(ConflictPushTest, LatestSkipsVersionsAlsoAcrossWhatIsToldOfConflicts) {
  log_.Commit("team", "a", "1");
  log_.Commit("team", "b", "1");
  log_.CommitConflict("team", "a", "c1", true);
  log_.Commit("team", "b", "2");
  log_.Commit("team", "n", "1");
  log_.CommitConflict("team", "a", "c1", false);
  log_.Commit("team", "b", "3");
  log_.CommitConflict("team", "b", "c2", true);
  log_.Commit("team", "a", "2");
  log_.Commit("team", "n", "2");
  const auto paged = FollowFrom(2, SubscriptionMode::kLatest);
  const auto all = FollowFrom(0, SubscriptionMode::kChanges);  // Now the recent events hold all.
  const auto recent = FollowFrom(2, SubscriptionMode::kLatest);
  for (const FakeSink* sink : {paged.get(), recent.get()}) {
    EXPECT_THAT(sink->Told(), ElementsAre("7 update b", "9 update a", "10 enter n"));
    EXPECT_THAT(sink->ToldOfConflicts(),
                ElementsAre("6 conflict_closed c1 of 0", "8 conflict_opened c2 of 1"));
    EXPECT_EQ(sink->caught_up_count(), 1);
  }
  for (const FakeSink::Message& message : recent->messages) {
    SubscriptionSpec spec;
    spec.cursor = message.cursor;
    spec.mode = SubscriptionMode::kLatest;
    const auto again = Follow(spec);
    const int64_t seq = entity::DecodeCursor(message.cursor)->seq;
    std::vector<std::string> rest;
    for (const std::string& line : recent->Told()) {
      if (std::stoll(line) > seq) rest.push_back(line);
    }
    EXPECT_EQ(again->Told(), rest) << seq;
  }
}

TEST_F(ConflictPushTest, LatestTellsOfADeletionAcrossWhatIsToldOfConflicts) {
  log_.Commit("team", "a", "1");
  log_.Commit("team", "b", "1");
  const auto all = FollowFrom(0, SubscriptionMode::kChanges);
  log_.Commit("team", "a", "2");
  log_.Commit("team", "n", "1");
  log_.CommitConflict("team", "b", "c1", true);
  log_.Commit("team", "a", "");
  log_.Commit("team", "n", "");
  Settle();
  const auto sink = FollowFrom(2, SubscriptionMode::kLatest);
  EXPECT_THAT(sink->Told(), ElementsAre("6 delete a")) << "nobody had n";
  // What came between is not known to the cursor: who comes back may have had n.
  SubscriptionSpec spec;
  spec.cursor = sink->messages.front().cursor;
  spec.mode = SubscriptionMode::kLatest;
  EXPECT_EQ(Follow(spec)->Told().front(), "6 delete a");
}

TEST_F(ConflictPushTest, TheStateFromRecentEventsTellsOfEachEntityOnce) {
  const auto all = FollowFrom(0, SubscriptionMode::kChanges);
  log_.Commit("team", "a", "1");
  log_.Commit("team", "gone", "1");
  log_.CommitConflict("team", "a", "c1", true);
  log_.Commit("team", "a", "2");
  log_.Commit("team", "gone", "");
  Settle();
  const auto sink = Follow();
  EXPECT_THAT(sink->Told(), ElementsAre("4 enter a"));
  EXPECT_THAT(sink->ToldOfConflicts(), ElementsAre("3 conflict_opened c1 of 1"));
}

TEST_F(ConflictPushTest, LatestSkipsVersionsAlsoAcrossLargeMessages) {
  FeedLimits limits;
  limits.batch_bytes_max = 1;  // A version a message.
  MakeEngine(limits);
  const auto all = FollowFrom(0, SubscriptionMode::kChanges);
  for (const char* entity : {"a", "b", "a", "b", "c"}) log_.Commit("team", entity, "1");
  Settle();
  const auto sink = FollowFrom(0, SubscriptionMode::kLatest);
  EXPECT_THAT(sink->Told(), ElementsAre("3 enter a", "4 enter b", "5 enter c"));
}

TEST_F(ConflictPushTest, TheFilterIsAskedAboutTheEntityAndTheBranches) {
  SubscriptionSpec other_id, other_type, branch_only, other_branch, category;
  other_id.filter.entity_ids = {"z"};
  other_type.filter.entity_types = {"task"};
  branch_only.filter.branches = {"conflict/c1"};
  other_branch.filter.branches = {"draft"};
  category.filter.categories = {"work"};
  const auto by_id = Follow(other_id);
  const auto by_type = Follow(other_type);
  const auto by_branch = Follow(branch_only);
  const auto by_other_branch = Follow(other_branch);
  const auto by_category = Follow(category);
  log_.CommitConflict("team", "a", "c1", true);
  log_.CommitConflict("team", "a", "c2", true);
  Settle();
  EXPECT_THAT(by_id->ToldOfConflicts(), IsEmpty());
  EXPECT_THAT(by_type->ToldOfConflicts(), IsEmpty());
  EXPECT_THAT(by_other_branch->ToldOfConflicts(), IsEmpty());
  EXPECT_THAT(by_branch->ToldOfConflicts(), ElementsAre("1 conflict_opened c1 of 1"));
  EXPECT_THAT(by_category->ToldOfConflicts(), SizeIs(2));
}

TEST_F(ConflictPushTest, SubscribersWithOneIdShareFrames) {
  const auto one = Follow();
  const auto two = Follow();
  log_.CommitConflict("team", "a", "c1", true);
  Settle();
  EXPECT_EQ(one->frames.back(), two->frames.back());
}

}  // namespace
}  // namespace bdcsync::gateway
