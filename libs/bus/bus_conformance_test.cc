// What every bus promises, run on each kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"
#include "libs/bus/open.h"
#include "libs/bus/recorder_testing.h"
#include "libs/testing/redis.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr int kMessages = 5000;

class BusConformance : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "memory") {
      url_ = "memory:";
      return;
    }
    url_ = testing::SharedRedisUrl();
    if (url_.empty()) {
      ASSERT_OK_AND_ASSIGN(server_, testing::RedisServer::Start());
      url_ = server_->url();
    }
    if (GetParam() == "two_nodes") {
      ASSERT_OK_AND_ASSIGN(second_server_, testing::RedisServer::Start());
      absl::StrAppend(&url_, ",", second_server_->url());
    }
  }

  std::unique_ptr<Bus> Open(BusOptions options = {}) {
    auto bus = OpenBus(url_, options);
    EXPECT_OK(bus);
    return *std::move(bus);
  }
  // A channel that no other test on the same server uses.
  std::string Channel(absl::string_view name) const { return absl::StrCat(run_, "/", name); }

 private:
  std::unique_ptr<testing::RedisServer> server_;
  std::unique_ptr<testing::RedisServer> second_server_;
  std::string url_;
  SystemRandom random_;
  const std::string run_ = MakeUuid(random_);
};

TEST_P(BusConformance, AMessageReachesEverySubscriberOfItsChannelAndNobodyElse) {
  const auto bus = Open();
  Recorder first;
  Recorder second;
  Recorder other;
  const auto a = first.Listen(*bus, Channel("a"));
  const auto b = second.Listen(*bus, Channel("a"));
  const auto c = other.Listen(*bus, Channel("b"));
  ASSERT_TRUE(first.AwaitGaps(1) && second.AwaitGaps(1) && other.AwaitGaps(1));
  bus->Publish(Channel("a"), "hello");
  bus->Publish(Channel("b"), "end");
  ASSERT_TRUE(first.AwaitMessages(1) && second.AwaitMessages(1) && other.AwaitMessages(1));
  EXPECT_THAT(first.messages(), ElementsAre("hello"));
  EXPECT_THAT(second.messages(), ElementsAre("hello"));
  EXPECT_THAT(other.messages(), ElementsAre("end"));
}

TEST_P(BusConformance, ASubscriptionSaysOnceThatItIsActiveBeforeItsFirstMessage) {
  const auto bus = Open();
  std::vector<std::string> heard;
  absl::Notification done;
  const auto subscription = bus->Subscribe(
      Channel("a"),
      [&](absl::string_view payload) {
        heard.emplace_back(payload);
        done.Notify();
        return true;
      },
      [&] {
        heard.emplace_back("gap");
        bus->Publish(Channel("a"), "hello");
      });
  ASSERT_TRUE(done.WaitForNotificationWithTimeout(Recorder::kPatience));
  EXPECT_THAT(heard, ElementsAre("gap", "hello"));
}

TEST_P(BusConformance, MessagesOfOnePublisherArriveInOrderOnEachChannel) {
  const auto bus = Open();
  Recorder even;
  Recorder odd;
  const auto a = even.Listen(*bus, Channel("even"));
  const auto b = odd.Listen(*bus, Channel("odd"));
  ASSERT_TRUE(even.AwaitGaps(1) && odd.AwaitGaps(1));
  for (int i = 0; i < kMessages; ++i) {
    bus->Publish(Channel(i % 2 == 0 ? "even" : "odd"), absl::StrCat(i));
  }
  ASSERT_TRUE(even.AwaitMessages(kMessages / 2) && odd.AwaitMessages(kMessages / 2));
  const auto heard_even = even.messages();
  const auto heard_odd = odd.messages();
  ASSERT_THAT(heard_even, SizeIs(kMessages / 2));
  ASSERT_THAT(heard_odd, SizeIs(kMessages / 2));
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_EQ((i % 2 == 0 ? heard_even : heard_odd)[i / 2], absl::StrCat(i));
  }
}

TEST_P(BusConformance, NothingRunsOnceASubscriptionIsDestroyed) {
  const auto bus = Open();
  Recorder witness;
  const auto kept = witness.Listen(*bus, Channel("a"));
  ASSERT_TRUE(witness.AwaitGaps(1));
  for (int round = 0; round < 50; ++round) {
    auto alive = std::make_unique<bool>(true);
    auto subscription = bus->Subscribe(
        Channel("a"),
        [&](absl::string_view) {
          EXPECT_TRUE(*alive);
          return true;
        },
        [&] { ASSERT_TRUE(*alive); });
    for (int i = 0; i < 20; ++i) bus->Publish(Channel("a"), "x");
    subscription.reset();
    *alive = false;  // A late callback fails the assertion, and the sanitizers see the free.
    alive.reset();
  }
  bus->Publish(Channel("a"), "end");
  EXPECT_TRUE(witness.AwaitLast("end"));
}

TEST_P(BusConformance, ASubscriptionMayEndInsideItsOwnCallback) {
  const auto bus = Open();
  std::unique_ptr<Subscription> subscription;
  absl::Notification assigned;
  absl::Notification ended;
  subscription = bus->Subscribe(
      Channel("a"),
      [&](absl::string_view) {
        assigned.WaitForNotification();
        subscription.reset();
        ended.Notify();  // A second call would end the process.
        return true;
      },
      [&] {
        bus->Publish(Channel("a"), "first");
        bus->Publish(Channel("a"), "second");
      });
  assigned.Notify();
  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(Recorder::kPatience));
  Recorder after;
  const auto barrier = after.Listen(*bus, Channel("a"));
  ASSERT_TRUE(after.AwaitGaps(1));
  bus->Publish(Channel("a"), "end");
  EXPECT_TRUE(after.AwaitLast("end"));
}

TEST_P(BusConformance, AChannelCanBeLeftAndJoinedAgainAtOnce) {
  const auto bus = Open();
  for (int round = 0; round < 30; ++round) {
    Recorder recorder;
    const auto subscription = recorder.Listen(*bus, Channel("a"));
    ASSERT_TRUE(recorder.AwaitGaps(1));
    bus->Publish(Channel("a"), absl::StrCat("round ", round));
    ASSERT_TRUE(recorder.AwaitLast(absl::StrCat("round ", round)));
  }
}

TEST_P(BusConformance, PayloadsArriveByteForByteHoweverLarge) {
  const auto bus = Open();
  Recorder recorder;
  const auto subscription = recorder.Listen(*bus, Channel("a"));
  ASSERT_TRUE(recorder.AwaitGaps(1));
  const std::string binary("\0\r\n$3\r\n\xff\xfe", 9);
  std::string large;
  for (int i = 0; large.size() < (4u << 20); ++i) large += absl::StrCat(i, ",");
  bus->Publish(Channel("a"), "");
  bus->Publish(Channel("a"), binary);
  bus->Publish(Channel("a"), large);
  ASSERT_TRUE(recorder.AwaitMessages(3));
  const auto heard = recorder.messages();
  EXPECT_EQ(heard[0], "");
  EXPECT_EQ(heard[1], binary);
  EXPECT_TRUE(heard[2] == large);
}

TEST_P(BusConformance, TenThousandChannelsAreServedAtOnce) {
  constexpr int kChannels = 10000;
  const auto bus = Open();
  Recorder all;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  subscriptions.reserve(kChannels);
  for (int i = 0; i < kChannels; ++i) {
    subscriptions.push_back(all.Listen(*bus, Channel(absl::StrCat("c", i))));
  }
  ASSERT_TRUE(all.AwaitGaps(kChannels));
  EXPECT_EQ(bus->Stats().channels, kChannels);
  for (int i = 0; i < kChannels; ++i) {
    bus->Publish(Channel(absl::StrCat("c", i)), absl::StrCat(i));
  }
  ASSERT_TRUE(all.AwaitMessages(kChannels));
  subscriptions.clear();
  EXPECT_EQ(bus->Stats().channels, 0);
}

TEST_P(BusConformance, AFloodIsBoundedAndTheNewestMessagesSurvive) {
  BusOptions options;
  options.queued_messages_max = 100;
  const auto bus = Open(options);
  Recorder recorder;
  absl::Notification release;
  absl::Notification blocked;
  const auto subscription = recorder.Listen(*bus, Channel("a"));
  ASSERT_TRUE(recorder.AwaitGaps(1));
  constexpr int kFlood = 200000;
  for (int i = 0; i < kFlood; ++i) {
    bus->Publish(Channel("a"), absl::StrCat(i));
    if (i % 1000 == 0) {
      ASSERT_LE(bus->Stats().queued, 100u);
    }
  }
  ASSERT_TRUE(recorder.AwaitLast(absl::StrCat(kFlood - 1)));
  const BusStats stats = bus->Stats();
  EXPECT_GT(stats.publish_dropped, 0u);
  EXPECT_EQ(recorder.messages().size() + stats.publish_dropped, kFlood);
}

TEST_P(BusConformance, ManyThreadsMayPublishAndSubscribeAtTheSameTime) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  const auto bus = Open();
  Recorder all;
  const auto kept = all.Listen(*bus, Channel("a"));
  ASSERT_TRUE(all.AwaitGaps(1));
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Recorder own;
      for (int i = 0; i < kEach; ++i) {
        const auto briefly = own.Listen(*bus, Channel(absl::StrCat("b", (t + i) % 7)));
        bus->Publish(Channel("a"), absl::StrCat(t, ":", i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(all.AwaitMessages(kThreads * kEach));
  EXPECT_THAT(all.messages(), SizeIs(kThreads * kEach));
}

TEST_P(BusConformance, WhatASubscriberCannotReadIsCounted) {
  const auto bus = Open();
  absl::Notification active;
  absl::Notification ended;
  const auto reader = bus->Subscribe(
      Channel("a"),
      [&](absl::string_view payload) {
        if (payload == "end") ended.Notify();
        return payload != "foreign";
      },
      [&] { active.Notify(); });
  ASSERT_TRUE(active.WaitForNotificationWithTimeout(Recorder::kPatience));
  for (const char* payload : {"ours", "foreign", "ours", "foreign", "end"}) {
    bus->Publish(Channel("a"), payload);
  }
  ASSERT_TRUE(ended.WaitForNotificationWithTimeout(Recorder::kPatience));
  EXPECT_EQ(bus->Stats().unreadable, 2u);
}

TEST_P(BusConformance, TheCountersTellWhatHappened) {
  const auto bus = Open();
  Recorder recorder;
  const auto subscription = recorder.Listen(*bus, Channel("a"));
  ASSERT_TRUE(recorder.AwaitGaps(1));
  bus->Publish(Channel("a"), "12345");
  bus->Publish(Channel("nobody"), "123");
  bus->Publish(Channel("a"), "");
  ASSERT_TRUE(recorder.AwaitMessages(2));
  const BusStats stats = bus->Stats();
  EXPECT_EQ(stats.delivered, 2u);
  EXPECT_EQ(stats.delivered_bytes, 5u);
  EXPECT_EQ(stats.unreadable, 0u);
  EXPECT_EQ(stats.gaps, 1u);
  EXPECT_EQ(stats.channels, 1u);
  EXPECT_EQ(stats.publish_dropped, 0u);
  EXPECT_EQ(stats.reconnects, 0u);
}

// Of several nodes, those without a channel of this test may connect last.
TEST_P(BusConformance, BecomesHealthyByItself) {
  const auto bus = Open();
  const SystemClock clock;
  const absl::Duration deadline = clock.Monotonic() + absl::Seconds(10);
  while (!bus->Health().ok() && clock.Monotonic() < deadline) std::this_thread::yield();
  EXPECT_OK(bus->Health());
}

INSTANTIATE_TEST_SUITE_P(Kinds, BusConformance, ::testing::Values("memory", "redis", "two_nodes"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace bdcsync::bus
