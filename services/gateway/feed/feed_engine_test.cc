#include "services/gateway/feed/feed_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/feed_testing.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class FeedTest : public FeedFixture {
 protected:
  FeedTest() { caller_.spaces["team"] = Access::kRead; }
};

TEST_F(FeedTest, AnEmptySpaceIsCaughtUpAtOnceWithAnEmptyMessage) {
  const auto sink = Follow();
  Settle();
  ASSERT_OK(*sink->subscribed);
  EXPECT_EQ((*sink->subscribed)->head, CursorAt(0));
  ASSERT_EQ(sink->messages.size(), 1u);
  EXPECT_TRUE(sink->messages[0].caught_up);
  EXPECT_THAT(sink->messages[0].events, IsEmpty());
  EXPECT_EQ(sink->messages[0].cursor, CursorAt(0));
  EXPECT_EQ(log_.space_reads, 0);
}

TEST_F(FeedTest, AFirstSyncBringsTheLivingOnceWithoutTombstonesAndSaysWhenItIsDone) {
  log_.Commit("team", "a", "1");
  log_.Commit("team", "b", "2");
  log_.Commit("team", "a", "3");
  log_.Commit("team", "b", "");
  const auto sink = Follow();
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("3 enter a"));
  EXPECT_TRUE(sink->messages.back().caught_up);
  EXPECT_EQ(sink->messages.back().cursor, CursorAt(4));
}

TEST_F(FeedTest, LiveChangesArriveInOrderWithTheirKindAndData) {
  const auto sink = Follow();
  Settle();
  log_.Commit("team", "a", "{\"x\":1}");
  log_.Commit("team", "a", "{\"x\":2}");
  log_.Commit("team", "a", "");
  log_.Commit("team", "a", "{\"x\":3}");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a", "2 update a", "3 delete a", "4 enter a"));
  EXPECT_EQ(sink->Data(1), "{\"x\":2}");
  EXPECT_FALSE(sink->messages.back().caught_up);
  EXPECT_EQ(log_.space_reads, 0);
}

TEST_F(FeedTest, ChangesOfOneTurnShareOneMessage) {
  const auto sink = Follow();
  Settle();
  for (int i = 0; i < 10; ++i) log_.Commit("team", "a", "1");
  loop_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(sink->Told().size(), 10u);
  EXPECT_LE(sink->messages.size(), 11u);
}

TEST_F(FeedTest, BurstsForManySubscribersShareMessagesAndSingleEventsDoNotWait) {
  std::vector<std::unique_ptr<FakeSink>> sinks;
  for (int i = 0; i < 500; ++i) sinks.push_back(Follow());
  Settle();
  const FakeSink& sink = *sinks.front();
  log_.Commit("team", "a", "1");
  loop_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(sink.Told().size(), 1u);
  for (int i = 0; i < 100; ++i) {
    bus_.lose = 1;
    log_.Commit("team", "a", "1");
    log_.Commit("team", "a", "2");
    bus_.lose = 0;
    const auto& events = log_.events("team");
    log_.Publish("team", {events.end()[-2], events.end()[-1]});
    loop_.RunFor(absl::Milliseconds(1));
  }
  Settle();
  EXPECT_EQ(sink.Told().size(), 201u);
  EXPECT_LE(sink.messages.size(), 20u);
  log_.Commit("team", "a", "1");
  Settle();
  log_.Commit("team", "a", "1");
  loop_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(sink.Told().size(), 203u);
}

TEST_F(FeedTest, SubscribersWithTheSameIdShareEveryFrame) {
  const auto first = Follow();
  const auto second = Follow();
  const auto other = Follow({}, "other");
  Settle();
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_EQ(first->frames.back(), second->frames.back());
  EXPECT_NE(first->frames.back(), other->frames.back());
  EXPECT_EQ(other->Told(), first->Told());
}

TEST_F(FeedTest, ACursorContinuesExactlyBehindItself) {
  for (int i = 0; i < 5; ++i) log_.Commit("team", "a", std::to_string(i));
  const auto sink = Follow({.cursor = CursorAt(3)});
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("4 update a", "5 update a"));
}

TEST_F(FeedTest, ALatestSubscriptionSkipsWhatIsSuperseded) {
  log_.Commit("team", "a", "1");
  for (int i = 0; i < 5; ++i) log_.Commit("team", "a", std::to_string(i));
  log_.Commit("team", "new and gone", "1");
  log_.Commit("team", "new and gone", "");
  const auto sink = Follow({.cursor = CursorAt(1), .mode = SubscriptionMode::kLatest});
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("6 update a"));
  EXPECT_EQ(sink->messages.back().cursor, CursorAt(8));
}

TEST_F(FeedTest, AHoleIsReadFromTheLog) {
  const auto sink = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  bus_.lose = 0;
  log_.Commit("team", "a", "2");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a", "2 update a"));
  EXPECT_EQ(metrics_.holes.value(), 1);
}

TEST_F(FeedTest, WhatTheBusLostAtTheEndIsFoundByTheHeadCheckWithinASecond) {
  const auto sink = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  loop_.RunFor(absl::Milliseconds(1100));
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
}

// Without the bus the newest change of many waits for a moment only, the oldest for a second.
TEST_F(FeedTest, TheDelayOfADeliveryIsThatOfTheOldestChangeInIt) {
  const auto sink = Follow();
  Settle();
  bus_.lose = 1;
  const absl::Time first = clock_.Now();
  while (sink->Told().empty()) {
    log_.Commit("team", "a", "1");
    loop_.RunFor(absl::Milliseconds(20));
  }
  const double waited = absl::ToDoubleSeconds(clock_.Now() - first);
  EXPECT_GT(waited, 0.5) << "as long as it takes until the head is looked at";
  EXPECT_EQ(metrics_.delivery_delay.count(), 1u);
  EXPECT_NEAR(metrics_.delivery_delay.sum(), waited, 0.021);
}

TEST_F(FeedTest, AReconnectOfTheBusIsFollowedByAHeadCheckAtOnce) {
  const auto sink = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  bus_.TellGap();
  loop_.RunFor(absl::Milliseconds(10));
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
}

TEST_F(FeedTest, RepeatedMessagesAreDropped) {
  bus_.repeat = 1;
  const auto sink = Follow();
  Settle();
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
}

// As from another suite on the same Redis, or of commits that a failover lost.
TEST_F(FeedTest, ACommitThatTheBusTellsOfAndTheLogDoesNotHoldIsForgotten) {
  const auto sink = Follow();
  Settle();
  event_store::v1::SpaceCommit commit;
  commit.set_space("team");
  commit.set_epoch(log_.epoch);
  commit.set_first_seq(1000);
  commit.set_last_seq(1000);
  bus_.Publish(SpaceChannel("team"), commit.SerializeAsString());
  loop_.RunFor(absl::Seconds(5));
  EXPECT_LE(log_.space_reads, 2);
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
  const auto later = Follow();
  loop_.RunFor(absl::Seconds(5));
  EXPECT_EQ((*later->subscribed)->head, CursorAt(1));
  EXPECT_EQ(later->caught_up_count(), 1);
}

TEST_F(FeedTest, ACommitTooLargeForTheBusIsRead) {
  const auto sink = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  bus_.lose = 0;
  event_store::v1::SpaceCommit range_only;
  range_only.set_epoch(log_.epoch);
  range_only.set_first_seq(1);
  range_only.set_last_seq(1);
  bus_.Publish(SpaceChannel("team"), range_only.SerializeAsString());
  loop_.RunFor(absl::Milliseconds(10));
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
}

TEST_F(FeedTest, ACategoryFilterTellsWhoEntersAndWhoLeaves) {
  SubscriptionSpec spec;
  spec.filter.categories = {"work"};
  const auto sink = Follow(spec);
  Settle();
  log_.Commit("team", "a", "1", "home");
  log_.Commit("team", "a", "2", "work");
  log_.Commit("team", "a", "3", "work");
  log_.Commit("team", "a", "4", "home");
  log_.Commit("team", "a", "", "home");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("2 enter a", "3 update a", "4 leave a"));
  EXPECT_EQ(sink->Data(2), "");  // Whoever loses sight of it is told nothing of it.
}

TEST_F(FeedTest, FiltersByTypeIdAndBranch) {
  log_.Commit("team", "a", "1");
  log_.Commit("team", "b", "1");
  SubscriptionSpec ids, types, branches;
  ids.filter.entity_ids = {"b"};
  types.filter.entity_types = {"other"};
  branches.filter.branches = {"draft"};
  const auto by_id = Follow(ids);
  const auto by_type = Follow(types);
  const auto by_branch = Follow(branches);
  Settle();
  EXPECT_THAT(by_id->Told(), ElementsAre("2 enter b"));
  EXPECT_THAT(by_type->Told(), IsEmpty());
  EXPECT_THAT(by_branch->Told(), IsEmpty());
  EXPECT_TRUE(by_branch->messages.back().caught_up);
}

TEST_F(FeedTest, APatchSubscriptionGetsThePatchOnceItHasTheEntity) {
  SubscriptionSpec spec;
  spec.payload = SubscriptionPayload::kPatch;
  const auto sink = Follow(spec);
  Settle();
  log_.Commit("team", "a", "{\"x\":1}", "", "{\"x\":1}");
  log_.Commit("team", "a", "{\"x\":2}", "", "{\"x\":2}");
  Settle();
  EXPECT_EQ(sink->Body(0), "data");
  EXPECT_EQ(sink->Body(1), "patch");
}

TEST_F(FeedTest, WithoutPayloadNoDataTravels) {
  SubscriptionSpec spec;
  spec.payload = SubscriptionPayload::kNone;
  const auto sink = Follow(spec);
  Settle();
  log_.Commit("team", "a", "{\"x\":1}");
  Settle();
  EXPECT_EQ(sink->Body(0), "");
}

TEST_F(FeedTest, ASlowSinkGetsNothingMoreAndLaterEverything) {
  const auto slow = Follow();
  const auto quick = Follow();
  Settle();
  slow->queued = FeedLimits().sink_queued_bytes_max + 1;
  for (int i = 0; i < 20; ++i) log_.Commit("team", "a", std::to_string(i));
  Settle();
  EXPECT_THAT(slow->Told(), IsEmpty());
  EXPECT_EQ(quick->Told().size(), 20u);
  slow->queued = 0;
  subscriptions_->SinkDrained(slow.get());
  Settle();
  EXPECT_EQ(slow->Told(), quick->Told());
}

TEST_F(FeedTest, ASlowSinkThatFellBehindTheRecentEventsCatchesUpFromTheLog) {
  MakeEngine({.ring_events_max = 4});
  const auto slow = Follow();
  const auto quick = Follow();
  Settle();
  slow->queued = FeedLimits().sink_queued_bytes_max + 1;
  for (int i = 0; i < 20; ++i) {
    log_.Commit("team", "a", std::to_string(i));
    Settle();
  }
  slow->queued = 0;
  subscriptions_->SinkDrained(slow.get());
  Settle();
  EXPECT_EQ(slow->Told(), quick->Told());
  EXPECT_EQ(slow->Told().size(), 20u);
}

TEST_F(FeedTest, PauseStopsAndResumeGoesOnWithoutLoss) {
  const auto sink = Follow();
  Settle();
  subscriptions_->Pause(sink.get(), "s");
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_THAT(sink->Told(), IsEmpty());
  subscriptions_->Resume(sink.get(), "s");
  log_.Commit("team", "a", "2");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a", "2 update a"));
}

// The sizes around a page: an off-by-one would skip or repeat the event at the border.
TEST_F(FeedTest, PagesOfEverySizeJoinWithoutHoleOrRepetition) {
  for (const int events : {1, 2, 3, 4, 5, 6, 7, 9}) {
    const std::string space = "user:ada";
    log_.LoseHistory();
    for (int i = 0; i < events; ++i) log_.Commit(space, "e" + std::to_string(i), "1");
    MakeEngine({.page_events_max = 3});
    const auto state = Follow({.space = space});
    const auto catch_up = Follow({.space = space, .cursor = CursorAt(0)});
    loop_.RunFor(absl::Seconds(1));
    EXPECT_EQ(state->Told().size(), static_cast<size_t>(events));
    EXPECT_EQ(catch_up->Told().size(), static_cast<size_t>(events));
    EXPECT_EQ(catch_up->caught_up_count(), 1);
    EXPECT_TRUE(catch_up->messages.back().caught_up);
    EXPECT_TRUE(state->messages.back().caught_up);
    subscriptions_->RemoveSink(state.get());
    subscriptions_->RemoveSink(catch_up.get());
  }
}

TEST_F(FeedTest, AnUpdateBetweenFirstAndLastPageOfTheStateIsSeenExactlyOnce) {
  MakeEngine({.page_events_max = 2});
  for (int i = 0; i < 6; ++i) log_.Commit("team", "e" + std::to_string(i), "1");
  const auto sink = Follow();
  while (sink->messages.empty()) loop_.RunFor(absl::Microseconds(50));
  ASSERT_THAT(sink->Told(), ElementsAre("1 enter e0", "2 enter e1"));
  log_.Commit("team", "e0", "2");  // Seen already.
  log_.Commit("team", "e5", "2");  // Not seen yet: leaves the state that is being read.
  log_.Commit("team", "e1", "");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter e0", "2 enter e1", "3 enter e2", "4 enter e3",
                                        "5 enter e4", "7 enter e0", "8 enter e5", "9 delete e1"));
}

TEST_F(FeedTest, AStateThatGoesOnAfterAReconnectBringsInWhatItHadNotReached) {
  for (int i = 0; i < 6; ++i) log_.Commit("team", "e" + std::to_string(i), "1");
  log_.Commit("team", "e0", "2");  // Behind all others now, though it is older.
  for (const SubscriptionMode mode : {SubscriptionMode::kChanges, SubscriptionMode::kLatest}) {
    MakeEngine({.page_events_max = 2});  // Which remembers nothing recent.
    const auto sink = Follow({.mode = mode});
    while (sink->messages.empty()) loop_.RunFor(absl::Microseconds(50));
    ASSERT_THAT(sink->Told(), ElementsAre("2 enter e1", "3 enter e2"));
    subscriptions_->RemoveSink(sink.get());
    const auto again = Follow({.cursor = sink->messages.front().cursor, .mode = mode});
    Settle();
    EXPECT_THAT(again->Told(), ElementsAre("4 enter e3", "5 enter e4", "6 enter e5", "7 enter e0"));
    subscriptions_->RemoveSink(again.get());
  }
}

TEST_F(FeedTest, AStateThatIsInterruptedAgainAndAgainBringsInWhatItHadNotReached) {
  for (int i = 0; i < 8; ++i) log_.Commit("team", "e" + std::to_string(i), "1");
  log_.Commit("team", "e1", "2");  // Behind all others now, though it is older.
  for (const SubscriptionMode mode : {SubscriptionMode::kChanges, SubscriptionMode::kLatest}) {
    MakeEngine({.page_events_max = 2});
    std::vector<std::string> told;
    std::string cursor;
    for (int connection = 0; connection < 4; ++connection) {
      const auto sink = Follow({.cursor = cursor, .mode = mode});
      while (sink->messages.empty()) loop_.RunFor(absl::Microseconds(50));
      for (const std::string& event : sink->Told()) told.push_back(event);
      cursor = sink->messages.back().cursor;
      subscriptions_->RemoveSink(sink.get());
    }
    EXPECT_THAT(told, ElementsAre("1 enter e0", "3 enter e2", "4 enter e3", "5 enter e4",
                                  "6 enter e5", "7 enter e6", "8 enter e7", "9 enter e1"));
  }
}

TEST_F(FeedTest, ACursorOfALostHistoryIsToldToStartAgainNotAtOnce) {
  const auto sink = Follow({.cursor = entity::EncodeCursor({log_.epoch - 1, 3})});
  Settle();
  ASSERT_OK(*sink->subscribed);
  EXPECT_THAT(sink->resyncs, ElementsAre("s"));
  EXPECT_GE(sink->resync_after, absl::Seconds(1));
  EXPECT_THAT(sink->messages, IsEmpty());
}

TEST_F(FeedTest, ACursorAheadOfTheHistoryIsToldToStartAgain) {
  const auto sink = Follow({.cursor = CursorAt(5)});
  Settle();
  EXPECT_THAT(sink->resyncs, ElementsAre("s"));
}

TEST_F(FeedTest, ACursorThatOnlyThisGatewayDoesNotKnowYetIsGood) {
  const auto first = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  const auto sink = Follow({.cursor = CursorAt(1)});
  loop_.RunFor(absl::Milliseconds(50));
  EXPECT_THAT(sink->resyncs, IsEmpty());
  EXPECT_TRUE(sink->messages.back().caught_up);
}

TEST_F(FeedTest, CaughtUpIsTheHeadOfTheLogNotWhatTheBusHasBrought) {
  const auto first = Follow();
  Settle();
  bus_.lose = 1;
  log_.Commit("team", "a", "1");
  const auto second = Follow({.cursor = CursorAt(0)});
  loop_.RunFor(absl::Milliseconds(20));
  EXPECT_THAT(second->Told(), ElementsAre("1 enter a"));
  EXPECT_TRUE(second->messages.back().caught_up);
  EXPECT_EQ(second->caught_up_count(), 1);
}

TEST_F(FeedTest, AHeadThatWasReadBeforeTheSubscriptionIsNotTheOneToCatchUpWith) {
  const auto first = Follow();
  Settle();
  log_.late = absl::Milliseconds(200);
  bus_.lose = 1;
  bus_.TellGap();
  loop_.RunFor(absl::Milliseconds(0));  // A head is on its way back from here on, most likely.
  for (int i = 1; i <= 20; ++i) {
    loop_.RunFor(absl::Milliseconds(20));
    log_.Commit("team", "a", "1");
    const auto sink = Follow({.cursor = CursorAt(0)});
    while (sink->messages.empty() || !sink->messages.back().caught_up) {
      loop_.RunFor(absl::Milliseconds(10));
    }
    EXPECT_EQ(sink->Told().size(), static_cast<size_t>(i));
    subscriptions_->RemoveSink(sink.get());
  }
}

TEST_F(FeedTest, WhenTheHistoryIsLostEverySubscriberIsToldOnceAndPaced) {
  std::vector<std::unique_ptr<FakeSink>> sinks;
  for (int i = 0; i < 400; ++i) sinks.push_back(Follow());
  Settle();
  log_.LoseHistory();
  loop_.RunFor(absl::Seconds(5));
  absl::Duration longest;
  for (const auto& sink : sinks) {
    EXPECT_THAT(sink->resyncs, ElementsAre("s"));
    longest = std::max(longest, sink->resync_after);
  }
  EXPECT_GE(longest, absl::Seconds(2));  // 400 clients at 200 a second.
}

TEST_F(FeedTest, ReadsAreTriedAgainUntilTheStoreAnswers) {
  for (int i = 0; i < 3; ++i) log_.Commit("team", "a", "1");
  const auto sink = Follow({.cursor = CursorAt(0)});
  loop_.RunFor(absl::Microseconds(1));
  while (!sink->subscribed.has_value()) loop_.RunFor(absl::Microseconds(100));
  log_.fail = 1;
  loop_.RunFor(absl::Seconds(10));
  log_.fail = 0;
  loop_.RunFor(absl::Seconds(5));
  EXPECT_EQ(sink->Told().size(), 3u);
}

TEST_F(FeedTest, ASubscriptionThatFindsNoStoreIsRefused) {
  log_.fail = 1;
  const auto sink = Follow();
  Settle();
  EXPECT_THAT(*sink->subscribed, testing::HasReason(Reason::kUnavailable));
}

TEST_F(FeedTest, SpacesThatTheCallerMayNotReadAreRefused) {
  const auto sink = Follow({.space = "user:eve"});
  EXPECT_THAT(*sink->subscribed, testing::HasReason(Reason::kForbidden));
}

TEST_F(FeedTest, NonsenseIsNoCursor) {
  const auto sink = Follow({.cursor = "nonsense"});
  EXPECT_THAT(*sink->subscribed, testing::HasReason(Reason::kInvalidArgument));
}

TEST_F(FeedTest, AfterUnsubscribeNothingArrives) {
  const auto sink = Follow();
  Settle();
  subscriptions_->Unsubscribe(sink.get(), "s");
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_THAT(sink->Told(), IsEmpty());
}

TEST_F(FeedTest, AServerThatIsAwayKeepsNobodyFromTheSpacesOfAnother) {
  caller_.admin = true;
  log_.away = "far";
  const auto far = Follow({.space = "far"}, "f");
  const auto near = Follow();
  Settle();
  EXPECT_THAT(*far->subscribed, testing::HasReason(Reason::kUnavailable));
  ASSERT_OK(*near->subscribed);
  log_.away.clear();
  const auto again = Follow({.space = "far"}, "f");
  Settle();
  EXPECT_OK(*again->subscribed);
}

TEST_F(FeedTest, AFilteredSubscriptionStillLearnsHowFarItIs) {
  MakeEngine({.silent_events_max = 10});
  SubscriptionSpec spec;
  spec.filter.entity_ids = {"rare"};
  const auto sink = Follow(spec);
  Settle();
  for (int i = 0; i < 25; ++i) {
    log_.Commit("team", "a", "1");
    Settle();
  }
  EXPECT_EQ(sink->messages.back().cursor, CursorAt(20));
}

TEST_F(FeedTest, TenThousandReconnectsCostFewReads) {
  MakeEngine({.page_events_max = 20});
  constexpr int kEvents = 200;
  for (int i = 0; i < kEvents; ++i) log_.Commit("team", "e" + std::to_string(i % 50), "1");
  std::vector<std::unique_ptr<FakeSink>> sinks;
  for (int i = 0; i < 10'000; ++i) {
    sinks.push_back(Follow({.cursor = CursorAt(i * 7 % kEvents)}));
    sinks.back()->parses = i % 50 == 0;
  }
  loop_.RunFor(absl::Milliseconds(500));
  for (int i = 0; i < 10'000; i += 50) {
    ASSERT_EQ(sinks[i]->Told().size(), static_cast<size_t>(kEvents - i * 7 % kEvents)) << i;
  }
  EXPECT_LE(log_.space_reads, 2 * kEvents / 20);
  EXPECT_LE(log_.head_reads, 3);
}

TEST_F(FeedTest, TenThousandSpacesAreLookedAtInFewCalls) {
  caller_.admin = true;
  std::vector<std::unique_ptr<FakeSink>> sinks;
  for (int i = 0; i < 10'000; ++i) sinks.push_back(Follow({.space = "s" + std::to_string(i)}));
  loop_.RunFor(absl::Milliseconds(500));
  EXPECT_LE(log_.head_reads, 6);
  EXPECT_EQ(log_.space_reads, 0);
  EXPECT_TRUE(sinks.back()->messages.back().caught_up);
}

}  // namespace
}  // namespace bdcsync::gateway
