#include "libs/app/live_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/bus/memory_bus.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::app {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr config::String kLevel{.name = "fake.level",
                                .default_value = "info",
                                .choices = "debug, info",
                                .doc = "A level.",
                                .reloadable = true};
constexpr config::Int kLimit{
    .name = "fake.limit", .default_value = 5, .min = 1, .doc = "A limit.", .reloadable = true};
constexpr config::Int kThreads{.name = "fake.threads", .default_value = 2, .doc = "Threads."};
constexpr config::String kPassword{
    .name = "fake.password", .doc = "A secret.", .reloadable = true, .secret = true};

config::Schema MakeSchema() {
  config::Schema schema;
  schema.Add(kLevel);
  schema.Add(kLimit);
  schema.Add(kThreads);
  schema.Add(kPassword);
  return schema;
}

config::Values Loaded(const std::vector<std::pair<std::string, std::string>>& settings = {}) {
  const config::Schema schema = MakeSchema();
  config::ValuesBuilder builder(schema);
  for (const auto& [name, text] : settings) builder.Set(name, text);
  return *builder.Build();
}

// One process: what it has taken into use.
class Process {
 public:
  explicit Process(const Clock& clock)
      : live(MakeSchema(), Loaded(), clock, log.logger(), [this](const config::Values& values) {
          absl::MutexLock lock(&mutex_);
          applied_ = values;
        }) {}

  config::Values applied() {
    absl::MutexLock lock(&mutex_);
    return applied_;
  }
  // Whether the key has the value, now or soon: the bus has a thread of its own.
  template <typename Key, typename Value>
  bool Gets(const Key& key, const Value& value) {
    absl::MutexLock lock(&mutex_);
    const auto has = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return applied_.Get(key) == value;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&has), absl::Seconds(20));
  }

  log::CapturedLog log;

 private:
  absl::Mutex mutex_;
  config::Values applied_ ABSL_GUARDED_BY(mutex_) = Loaded();

 public:
  LiveConfig live;  // Last: it uses all of the above.
};

class LiveConfigTest : public ::testing::Test {
 protected:
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  bus::MemoryBus bus_{bus::BusOptions()};
  Process a_{clock_};
  Process b_{clock_};
};

TEST_F(LiveConfigTest, AChangeHoldsHereAndEverywhereUntilItIsTakenBack) {
  a_.live.Join(bus_);
  b_.live.Join(bus_);
  EXPECT_THAT(*a_.live.Change({{"fake.level", "debug"}}), ElementsAre(Pair("fake.level", "debug")));
  for (Process* process : {&a_, &b_}) {
    EXPECT_TRUE(process->Gets(kLevel, "debug"));
    EXPECT_EQ(process->applied().SourceOf("fake.level"), "operator");
  }
  EXPECT_THAT(*b_.live.Change({{"fake.level", ""}}), IsEmpty());
  for (Process* process : {&a_, &b_}) EXPECT_TRUE(process->Gets(kLevel, "info"));
}

TEST_F(LiveConfigTest, AProcessThatComesLaterAsksTheOthers) {
  a_.live.Join(bus_);
  ASSERT_OK(a_.live.Change({{"fake.limit", "7"}}));
  b_.live.Join(bus_);
  EXPECT_TRUE(b_.Gets(kLimit, 7));
}

TEST_F(LiveConfigTest, TheLaterOfTwoChangesHoldsInWhateverOrderTheyArrive) {
  ASSERT_OK(a_.live.Change({{"fake.limit", "7"}, {"fake.level", "debug"}}));
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK(b_.live.Change({{"fake.limit", "8"}}));
  b_.live.Join(bus_);
  a_.live.Join(bus_);  // Tells its older change, and hears of the newer one.
  for (Process* process : {&a_, &b_}) {
    EXPECT_TRUE(process->Gets(kLimit, 8));
    EXPECT_TRUE(process->Gets(kLevel, "debug"));
  }
  // An operator is obeyed even where the clock has gone back.
  clock_.SetNow(absl::FromUnixSeconds(1'600'000'000));
  ASSERT_OK(a_.live.Change({{"fake.limit", "9"}}));
  EXPECT_TRUE(b_.Gets(kLimit, 9));
}

TEST_F(LiveConfigTest, AReloadKeepsTheChangesOfOperatorsOnTop) {
  ASSERT_OK(a_.live.Change({{"fake.level", "debug"}}));
  const config::Reload reload =
      a_.live.SetLoaded(Loaded({{"fake.limit", "6"}, {"fake.threads", "3"}}));
  EXPECT_THAT(reload.changed, ElementsAre("fake.limit"));
  EXPECT_THAT(reload.unapplied, ElementsAre("fake.threads"));
  EXPECT_EQ(a_.applied().Get(kLevel), "debug");
  EXPECT_EQ(a_.applied().Get(kLimit), 6);
  EXPECT_EQ(a_.applied().Get(kThreads), 2);
}

TEST_F(LiveConfigTest, EveryMistakeIsNamedAndNothingChanges) {
  const auto changed = a_.live.Change({{"fake.level", "debug"},
                                       {"fake.limit", "0"},
                                       {"fake.threads", "3"},
                                       {"fake.password", "x"},
                                       {"fake.limt", "7"}});
  EXPECT_THAT(changed, HasReason(Reason::kInvalidArgument));
  const std::string message(changed.status().message());
  EXPECT_THAT(message, HasSubstr("fake.limit: "));
  EXPECT_THAT(message, HasSubstr("fake.threads: needs a restart"));
  EXPECT_THAT(message, HasSubstr("fake.password: is a secret"));
  EXPECT_THAT(message, HasSubstr("fake.limt: unknown key; did you mean fake.limit?"));
  EXPECT_EQ(a_.applied().Get(kLevel), "info");
}

TEST_F(LiveConfigTest, KeysOfOtherServicesArePassedOnUnread) {
  // As with the gateway, which is asked to change a key of device-sync.
  EXPECT_OK(a_.live.Change({{"device_sync.heartbeat_interval", "10s"}}).status());
  EXPECT_THAT(a_.live.Change({{"device_sync.devices_per_user_max", "1"}}),
              HasReason(Reason::kInvalidArgument));
}

TEST_F(LiveConfigTest, WhatIsNoMessageOrNotAllowedIsPassedOver) {
  a_.live.Join(bus_);
  for (const std::string& payload :
       {std::string("{"), std::string("[]"), std::string(R"({"changes":{"fake.limit":7}})"),
        std::string(R"({"changes":{"fake.limit":{"value":"0","at_us":1}}})"),
        std::string(R"({"changes":{"fake.password":{"value":"x","at_us":1}}})"),
        std::string(R"({"changes":{"nobody.knows":{"value":"x","at_us":1}}})"),
        std::string(kConfigMessageBytesMax + 1, ' ')}) {
    bus_.Publish(kConfigChannel, payload);
  }
  bus_.Publish(kConfigChannel, R"({"changes":{"fake.level":{"value":"debug","at_us":1}}})");
  EXPECT_TRUE(a_.Gets(kLevel, "debug"));  // All before it was looked at.
  EXPECT_EQ(a_.applied().Get(kLimit), 5);
  EXPECT_EQ(a_.applied().Get(kPassword), "");
  EXPECT_THAT(a_.log.lines(), ::testing::Contains(HasSubstr("is not taken")));
}

}  // namespace
}  // namespace bdcsync::app
