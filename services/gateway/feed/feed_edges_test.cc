// What the feed must not take for its own: news of another history, answers that are too old, and
// what a subscriber may have had before it was interrupted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/feed_testing.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FeedEdgesTest : public FeedFixture {
 protected:
  FeedEdgesTest() {
    caller_.admin = true;
    MakeEngine();
  }
};

TEST_F(FeedEdgesTest, ACursorOfALostHistoryIsNoneOfThisOneThoughThatHasComeFurther) {
  for (int i = 0; i < 5; ++i) log_.Commit("team", "a", "1");
  const auto sink = Follow({.cursor = entity::EncodeCursor({log_.epoch - 1, 3})});
  Settle();
  EXPECT_THAT(sink->resyncs, ElementsAre("s"));
  EXPECT_THAT(sink->messages, IsEmpty());
}

TEST_F(FeedEdgesTest, WhatTheBusTellsOfAnotherHistoryIsNotTaken) {
  const auto sink = Follow();
  Settle();
  event_store::v1::Event event;
  log_.Commit("other", "z", "1");
  event = log_.events("other").front();
  event_store::v1::SpaceCommit commit;
  commit.set_space("team");
  commit.set_epoch(log_.epoch + 1);
  commit.set_first_seq(1);
  commit.set_last_seq(1);
  *commit.add_events() = event;
  bus_.Publish(SpaceChannel("team"), commit.SerializeAsString());
  Settle();
  EXPECT_THAT(sink->Told(), IsEmpty());
  log_.Commit("team", "a", "1");
  Settle();
  EXPECT_THAT(sink->Told(), ElementsAre("1 enter a"));
}

TEST_F(FeedEdgesTest, APageOfAnotherHistoryIsNotTold) {
  for (int i = 0; i < 5; ++i) log_.Commit("team", "a", "1");
  const auto sink = Follow({.cursor = CursorAt(0)});
  while (!sink->subscribed.has_value()) loop_.RunFor(absl::Microseconds(10));
  bus_.lose = 1;
  log_.LoseHistory();
  for (int i = 0; i < 5; ++i) log_.Commit("team", "z", "2");
  loop_.RunFor(absl::Seconds(5));
  EXPECT_THAT(sink->Told(), IsEmpty());
  EXPECT_THAT(sink->resyncs, ElementsAre("s"));
}

TEST_F(FeedEdgesTest, AReadThatBeganBeforeASubscriptionDoesNotRefuseIt) {
  const auto first = Follow();
  Settle();
  log_.late = absl::Milliseconds(100);
  log_.fail = 1;
  bus_.TellGap();
  loop_.RunFor(absl::Microseconds(1));  // A head is on its way.
  const auto second = Follow();
  while (metrics_.read_failures.value() == 0) loop_.RunFor(absl::Microseconds(100));
  log_.fail = 0;
  loop_.RunFor(absl::Seconds(1));
  EXPECT_OK(*second->subscribed);
}

// A subscriber is not told before the next head check that it is caught up without them, or later.
TEST_F(FeedEdgesTest, WhatTheBusTellsBeforeTheHeadIsKnownIsNotForgotten) {
  log_.late = absl::Milliseconds(100);
  MakeEngine({.head_check_interval = absl::Hours(1)});
  for (int i = 0; i < 40; ++i) {
    const std::string space = "s" + std::to_string(i);
    const auto sink = Follow({.space = space, .cursor = CursorAt(0)});
    loop_.RunFor(absl::Milliseconds(random_.Bits64() % 100));
    log_.Commit(space, "a", "1");
    loop_.RunFor(absl::Milliseconds(1));
    log_.Commit(space, "b", "1");
    loop_.RunFor(absl::Seconds(2));
    EXPECT_THAT(sink->Told(), ElementsAre("1 enter a", "2 enter b")) << i;
  }
}

// It was told of `a`, and never that it left the view: that was superseded before it came to it.
TEST_F(FeedEdgesTest, WhoWasInterruptedTwiceIsToldOfWhatItHadFromBeforeTheFirst) {
  constexpr size_t kNoRoom = 2 << 20;
  MakeEngine({.ring_events_max = 1, .page_events_max = 3});
  const auto read = [&](const std::string& cursor, SubscriptionMode mode, size_t per_frame) {
    SubscriptionSpec spec{.cursor = cursor, .mode = mode};
    spec.filter.categories = {"work"};
    auto sink = Follow(spec);
    sink->queued_per_frame = per_frame;
    Settle();
    subscriptions_->RemoveSink(sink.get());
    loop_.RunPosted();
    return sink;
  };
  for (const char* entity : {"a", "b", "c", "d"}) log_.Commit("team", entity, "1", "work");
  const auto first = read("", SubscriptionMode::kLatest, kNoRoom);
  EXPECT_THAT(first->Told(), ElementsAre("1 enter a", "2 enter b", "3 enter c"));
  log_.Commit("team", "a", "2", "home");
  log_.Commit("team", "e", "1", "work");
  log_.Commit("team", "f", "1", "work");
  log_.Commit("team", "a", "3", "home");
  const auto second = read(first->messages.back().cursor, SubscriptionMode::kLatest, kNoRoom);
  EXPECT_THAT(second->Told(), ElementsAre("4 enter d", "6 enter e", "7 enter f"));
  const auto third = read(second->messages.back().cursor, SubscriptionMode::kChanges, 0);
  EXPECT_THAT(third->Told(), ElementsAre("8 leave a"));
}

}  // namespace
}  // namespace bdcsync::gateway
