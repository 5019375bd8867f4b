// How the Redis bus lives through faults of its server. Each test has a server of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/bus/open.h"
#include "libs/bus/recorder_testing.h"
#include "libs/testing/redis.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::bus {
namespace {

using bdcsync::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Changes of connection that a bus told, for waiting without sleeping.
class Connections {
 public:
  void Note(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    ++(status.ok() ? up_ : down_);
    if (!status.ok()) faults_.emplace_back(status.message());
  }
  std::vector<std::string> faults() {
    absl::MutexLock lock(&mutex_);
    return faults_;
  }
  int up() {
    absl::MutexLock lock(&mutex_);
    return up_;
  }
  bool AwaitUp(int count) { return Await(up_, count); }
  bool AwaitDown(int count) { return Await(down_, count); }

 private:
  bool Await(const int& value, int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&value, count] { return value >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), Recorder::kPatience);
  }
  absl::Mutex mutex_;
  int up_ = 0;
  int down_ = 0;
  std::vector<std::string> faults_;
};

class RedisBusTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK_AND_ASSIGN(server_, testing::RedisServer::Start()); }

  std::unique_ptr<Bus> Open(BusOptions options = {}) {
    options.backoff_min = absl::Milliseconds(5);
    options.backoff_max = absl::Milliseconds(50);
    options.on_connection_change = [this](const absl::Status& s) { connections_.Note(s); };
    auto bus = OpenBus(server_->url(), options);
    EXPECT_OK(bus);
    return *std::move(bus);
  }
  // Whether the server answers so many more PINGs before patience ran out.
  bool AwaitPings(int more) {
    const SystemClock clock;
    const absl::Duration deadline = clock.Monotonic() + Recorder::kPatience;
    const int enough = PingsAnswered() + more;
    while (PingsAnswered() < enough) {
      if (clock.Monotonic() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  int PingsAnswered() { return Counted("cmdstat_ping:", "calls="); }
  bool AwaitRefusedSubscriptions(int count) {
    const SystemClock clock;
    const absl::Duration deadline = clock.Monotonic() + Recorder::kPatience;
    while (Counted("cmdstat_subscribe:", "rejected_calls=") < count) {
      if (clock.Monotonic() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // What the server has counted of a command.
  int Counted(const std::string& command, const std::string& what) {
    const auto stats = server_->Command({"INFO", "commandstats"});
    EXPECT_OK(stats);
    const std::size_t line = stats->find(command);
    const std::size_t place = line == std::string::npos ? line : stats->find(what, line);
    if (place == std::string::npos) return 0;
    const std::string number = stats->substr(place + what.size());
    int count = 0;
    EXPECT_TRUE(absl::SimpleAtoi(number.substr(0, number.find_first_of(",\r")), &count));
    return count;
  }

  Connections connections_;  // One up for the publisher, one for the subscriber.
  std::unique_ptr<testing::RedisServer> server_;
};

TEST_F(RedisBusTest, AfterARestartEveryChannelFlowsAgainAndIsToldOfTheGap) {
  const auto bus = Open();
  Recorder a;
  Recorder b;
  const auto first = a.Listen(*bus, "a");
  const auto second = b.Listen(*bus, "b");
  ASSERT_TRUE(a.AwaitGaps(1) && b.AwaitGaps(1) && connections_.AwaitUp(2));
  ASSERT_OK(server_->Restart());
  ASSERT_TRUE(a.AwaitGaps(2) && b.AwaitGaps(2));
  bus->Publish("a", "again");
  bus->Publish("b", "again");
  EXPECT_TRUE(a.AwaitLast("again") && b.AwaitLast("again"));
  EXPECT_GE(bus->Stats().reconnects, 1u);
}

TEST_F(RedisBusTest, ALostSubscribingConnectionAloneIsAGap) {
  const auto bus = Open();
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1));
  ASSERT_OK(server_->Command({"CLIENT", "KILL", "TYPE", "pubsub"}));
  ASSERT_TRUE(a.AwaitGaps(2));
  bus->Publish("a", "again");
  EXPECT_TRUE(a.AwaitLast("again"));
}

TEST_F(RedisBusTest, ALostPublishingConnectionLosesNoMessage) {
  const auto bus = Open();
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1) && connections_.AwaitUp(2));
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(server_->Command({"CLIENT", "KILL", "TYPE", "normal"}));
    bus->Publish("a", absl::StrCat(i));
    ASSERT_TRUE(a.AwaitLast(absl::StrCat(i)));
  }
  EXPECT_EQ(a.gaps(), 1u);
}

TEST_F(RedisBusTest, WhileTheServerIsAwayHealthSaysWhyAndPublishingDoesNotBlock) {
  BusOptions options;
  options.queued_messages_max = 10;
  const auto bus = Open(options);
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1) && connections_.AwaitUp(2));
  EXPECT_OK(bus->Health());
  server_->Kill();
  ASSERT_TRUE(connections_.AwaitDown(1));
  EXPECT_THAT(bus->Health(), StatusIs(absl::StatusCode::kUnavailable));
  for (int i = 0; i < 1000; ++i) bus->Publish("a", absl::StrCat(i));
  EXPECT_LE(bus->Stats().queued, 10u);
  EXPECT_GE(bus->Stats().publish_dropped, 900u);
  ASSERT_OK(server_->Restart());
  ASSERT_TRUE(a.AwaitGaps(2));
  bus->Publish("a", "again");
  EXPECT_TRUE(a.AwaitLast("again"));
}

TEST_F(RedisBusTest, ABusMayBeOpenedBeforeItsServer) {
  server_->Kill();
  const auto bus = Open();
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(connections_.AwaitDown(2));
  EXPECT_THAT(bus->Health(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(a.gaps(), 0u);
  ASSERT_OK(server_->Restart());
  ASSERT_TRUE(a.AwaitGaps(1));
  bus->Publish("a", "hello");
  EXPECT_TRUE(a.AwaitLast("hello"));
}

TEST_F(RedisBusTest, AServerThatAnswersNothingIsGivenUp) {
  BusOptions options;
  options.answer_timeout = absl::Milliseconds(50);
  options.connect_timeout = absl::Milliseconds(50);
  const auto bus = Open(options);
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1) && connections_.AwaitUp(2));
  server_->Freeze();
  ASSERT_TRUE(connections_.AwaitDown(2));  // Nobody published: both halves asked by themselves.
  server_->Resume();
  ASSERT_TRUE(a.AwaitGaps(2));
  bus->Publish("a", "again");
  EXPECT_TRUE(a.AwaitLast("again"));
}

TEST_F(RedisBusTest, ASubscriberWithoutAnyChannelStaysConnectedWhileIdle) {
  BusOptions options;
  options.answer_timeout = absl::Milliseconds(50);
  const auto bus = Open(options);
  ASSERT_TRUE(connections_.AwaitUp(2));
  ASSERT_TRUE(AwaitPings(8));  // Each half asks every 50 ms.
  EXPECT_THAT(connections_.faults(), Not(Contains(HasSubstr("no message"))));
}

TEST_F(RedisBusTest, ComingAndGoingAroundIdleTimesKeepsTheConnection) {
  BusOptions options;
  options.answer_timeout = absl::Milliseconds(50);
  const auto bus = Open(options);
  Recorder a;
  for (int round = 1; round <= 3; ++round) {
    auto subscription = a.Listen(*bus, "a");
    ASSERT_TRUE(a.AwaitGaps(static_cast<std::size_t>(round)));
    bus->Publish("a", absl::StrCat(round));
    ASSERT_TRUE(a.AwaitLast(absl::StrCat(round)));
    ASSERT_TRUE(AwaitPings(4));
    subscription.reset();
    ASSERT_TRUE(AwaitPings(4));
  }
  EXPECT_THAT(connections_.faults(), Not(Contains(HasSubstr("no message"))));
}

TEST_F(RedisBusTest, ManySubscribersShareOneSubscriptionAtTheServer) {
  const auto bus = Open();
  Recorder a;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  subscriptions.reserve(20);
  for (int i = 0; i < 20; ++i) subscriptions.push_back(a.Listen(*bus, "a"));
  ASSERT_TRUE(a.AwaitGaps(20));
  ASSERT_OK_AND_ASSIGN(const std::string receivers, server_->Command({"PUBLISH", "a", "x"}));
  EXPECT_EQ(receivers, "1");
  EXPECT_TRUE(a.AwaitMessages(20));
}

TEST_F(RedisBusTest, TheServerIsLeftWhenTheLastSubscriberGoes) {
  const auto bus = Open();
  Recorder a;
  Recorder barrier;
  auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1));
  subscription.reset();
  const auto later = barrier.Listen(*bus, "b");  // Its answer comes after that to leaving "a".
  ASSERT_TRUE(barrier.AwaitGaps(1));
  ASSERT_OK_AND_ASSIGN(const std::string receivers, server_->Command({"PUBLISH", "a", "x"}));
  EXPECT_EQ(receivers, "0");
}

TEST_F(RedisBusTest, TwoBusesHearEachOtherAndThemselves) {
  const auto one = Open();
  const auto two = Open();
  Recorder a;
  Recorder b;
  const auto first = a.Listen(*one, "a");
  const auto second = b.Listen(*two, "a");
  ASSERT_TRUE(a.AwaitGaps(1) && b.AwaitGaps(1));
  one->Publish("a", "from one");
  two->Publish("a", "from two");
  ASSERT_TRUE(a.AwaitMessages(2) && b.AwaitMessages(2));
  EXPECT_THAT(a.messages(), ::testing::UnorderedElementsAre("from one", "from two"));
  EXPECT_THAT(b.messages(), ::testing::UnorderedElementsAre("from one", "from two"));
}

TEST_F(RedisBusTest, APasswordIsGivenAndAWrongOneShowsInHealthWithoutBeingShown) {
  ASSERT_OK(server_->Command({"CONFIG", "SET", "requirepass", "s3cret@"}));
  const std::string host(absl::StripPrefix(server_->url(), "redis://"));
  ASSERT_OK_AND_ASSIGN(const auto good, OpenBus("redis://:s3cret%40@" + host, {}));
  Recorder a;
  const auto subscription = a.Listen(*good, "a");
  ASSERT_TRUE(a.AwaitGaps(1));
  good->Publish("a", "hello");
  EXPECT_TRUE(a.AwaitLast("hello"));

  BusOptions options;
  options.on_connection_change = [this](const absl::Status& s) { connections_.Note(s); };
  ASSERT_OK_AND_ASSIGN(const auto bad, OpenBus("redis://:guess123@" + host, options));
  ASSERT_TRUE(connections_.AwaitDown(2));
  EXPECT_THAT(bad->Health().ToString(), HasSubstr("AUTH refused"));
  EXPECT_THAT(bad->Health().ToString(), Not(HasSubstr("guess123")));
}

TEST_F(RedisBusTest, ARefusedPublishIsCountedAndShowsInHealth) {
  const auto bus = Open();
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(a.AwaitGaps(1) && connections_.AwaitUp(2));
  ASSERT_OK(server_->Command({"ACL", "SETUSER", "default", "-publish"}));
  bus->Publish("a", "x");
  ASSERT_TRUE(connections_.AwaitDown(1));
  EXPECT_THAT(bus->Health().ToString(), HasSubstr("PUBLISH refused"));
  ASSERT_OK(server_->Command({"ACL", "SETUSER", "default", "+publish"}));
  bus->Publish("a", "y");
  ASSERT_TRUE(a.AwaitLast("y"));
  EXPECT_EQ(bus->Stats().publish_failed, 1u);
}

TEST_F(RedisBusTest, ARefusedSubscriptionIsTriedLessAndLessOftenAndIsNoConnection) {
  ASSERT_OK(server_->Command({"ACL", "SETUSER", "default", "-subscribe"}));
  BusOptions options;
  options.backoff_min = absl::Milliseconds(8);
  options.backoff_max = absl::Seconds(1);
  options.on_connection_change = [this](const absl::Status& s) { connections_.Note(s); };
  const SystemClock clock;
  const absl::Duration before = clock.Monotonic();
  ASSERT_OK_AND_ASSIGN(const auto bus, OpenBus(server_->url(), options));
  Recorder a;
  const auto subscription = a.Listen(*bus, "a");
  ASSERT_TRUE(connections_.AwaitUp(1) && AwaitRefusedSubscriptions(1));
  const int up = connections_.up();  // The subscriber, too, if it was connected before it asked.
  ASSERT_TRUE(AwaitRefusedSubscriptions(7));
  // Six waits, each twice the one before and half of its length at least.
  EXPECT_GE(clock.Monotonic() - before, absl::Milliseconds(4 + 8 + 16 + 32 + 64 + 128));
  EXPECT_EQ(connections_.up(), up);
  EXPECT_THAT(bus->Health().ToString(), HasSubstr("permissions"));
  ASSERT_OK(server_->Command({"ACL", "SETUSER", "default", "+subscribe"}));
  ASSERT_TRUE(a.AwaitGaps(1) && connections_.AwaitUp(up + 1));
  EXPECT_OK(bus->Health());
}

TEST_F(RedisBusTest, AnIdleBusEndsAtOnce) {
  auto bus = Open();
  ASSERT_TRUE(connections_.AwaitUp(2));
  server_->Freeze();
  const SystemClock clock;
  const absl::Duration before = clock.Monotonic();
  bus->Publish("a", "never answered");
  bus.reset();
  EXPECT_LT(clock.Monotonic() - before, absl::Seconds(2));  // Well below the answer timeout.
  server_->Resume();
}

TEST_F(RedisBusTest, SuitesWithPrefixesOfTheirOwnShareAServer) {
  BusOptions options;
  options.channel_prefix = "staging:";
  const auto staging = Open(options);
  options.channel_prefix = "production:";
  const auto production = Open(options);
  Recorder in_staging;
  Recorder in_production;
  const auto a = in_staging.Listen(*staging, "space/1");
  const auto b = in_production.Listen(*production, "space/1");
  ASSERT_TRUE(in_staging.AwaitGaps(1) && in_production.AwaitGaps(1));
  staging->Publish("space/1", "of staging");
  ASSERT_TRUE(in_staging.AwaitMessages(1));
  production->Publish("space/1", "of production");
  ASSERT_TRUE(in_production.AwaitMessages(1));
  EXPECT_THAT(in_staging.messages(), ElementsAre("of staging"));
  EXPECT_THAT(in_production.messages(), ElementsAre("of production"));
}

TEST(ChannelPrefixTest, APrefixIsShortAndPlain) {
  EXPECT_OK(CheckChannelPrefix(""));
  EXPECT_OK(CheckChannelPrefix("Team_1.staging:/-"));
  EXPECT_OK(CheckChannelPrefix(std::string(64, 'x')));
  EXPECT_THAT(CheckChannelPrefix(std::string(65, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const absl::Status refused = CheckChannelPrefix("a b");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("bus.channel_prefix"));
  EXPECT_THAT(CheckChannelPrefix("*"), StatusIs(absl::StatusCode::kInvalidArgument));
  BusOptions options;
  options.channel_prefix = "\r\n";
  EXPECT_THAT(OpenBus("redis://127.0.0.1", options), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::bus
