// One session a device among gateways that hear of each other over a bus.
#include "services/gateway/session/session_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/bus/bus.h"
#include "services/gateway/session/session_channel.h"
#include "services/gateway/session/testing/manual_loop.h"

namespace bdcsync::gateway {
namespace {

using device_sync::v1::SessionStart;

// Delivers when the test says so.
class SlowBus final : public bus::Bus {
 public:
  void Publish(absl::string_view, std::string payload) override {
    waiting.push_back(std::move(payload));
  }
  std::unique_ptr<bus::Subscription> Subscribe(absl::string_view, bus::MessageCallback on_message,
                                               bus::GapCallback on_gap) override {
    on_gap();
    messages.push_back(std::move(on_message));
    gaps.push_back(std::move(on_gap));
    return std::make_unique<bus::Subscription>();
  }
  absl::Status Health() const override { return absl::OkStatus(); }
  bus::BusStats Stats() const override { return {}; }
  // Everything, also what comes of it.
  void Deliver() {
    while (!waiting.empty()) {
      const std::string payload = waiting.front();
      waiting.erase(waiting.begin());
      for (const auto& on_message : messages) on_message(payload);
    }
  }

  std::vector<std::string> waiting;
  std::vector<bus::MessageCallback> messages;
  std::vector<bus::GapCallback> gaps;
};

class FakeSession final : public DirectedSession {
 public:
  void OnSuperseded() override { superseded = true; }
  void OnDeviceRevoked() override { ++revoked; }
  void OnOutcome(const sync::v1::OperationResult&) override {}
  bool superseded = false;
  int revoked = 0;
};

class SessionDirectoryTest : public ::testing::Test {
 protected:
  struct Gateway {
    explicit Gateway(SlowBus& bus) : channel(bus, directory) {}
    SessionDirectory directory;
    SessionChannel channel;
  };
  static Caller CallerOf(const std::string& session) {
    Caller caller;
    caller.user_id = "ada";
    caller.device_id = "phone";
    caller.session_id = session;
    return caller;
  }
  std::shared_ptr<FakeSession> Start(Gateway& gateway, const std::string& session, int64_t number,
                                     absl::Time at = absl::UnixEpoch()) {
    auto made = std::make_shared<FakeSession>();
    EXPECT_TRUE(gateway.directory.Add(std::make_shared<const Caller>(CallerOf(session)), at, loop_,
                                      made, 10));
    if (number >= 0) gateway.directory.SetNumber(CallerOf(session), number);
    return made;
  }
  void Deliver() {
    bus_.Deliver();
    loop_.RunPosted();
  }

  ManualClock clock_{absl::UnixEpoch()};
  ManualLoop loop_{clock_};
  SlowBus bus_;
  Gateway one_{bus_};
  Gateway two_{bus_};
};

TEST_F(SessionDirectoryTest, AUserHasAsManyDevicesAsAreAllowed) {
  const auto add = [this](const std::string& device) {
    Caller caller = CallerOf("of-" + device);
    caller.device_id = device;
    return one_.directory.Add(std::make_shared<const Caller>(caller), absl::UnixEpoch(), loop_,
                              std::make_shared<FakeSession>(), 2);
  };
  EXPECT_TRUE(add("a"));
  EXPECT_TRUE(add("b"));
  EXPECT_FALSE(add("c"));
  EXPECT_TRUE(add("a")) << "in its place";
}

TEST_F(SessionDirectoryTest, TheNewerSessionAtAnotherGatewayStays) {
  const auto older = Start(one_, "z", 1);
  const auto newer = Start(two_, "a", 2);
  Deliver();
  EXPECT_TRUE(older->superseded);
  EXPECT_FALSE(newer->superseded);
}

TEST_F(SessionDirectoryTest, ClocksOfGatewaysDoNotDecideWhereTheRegistryHas) {
  const auto older = Start(one_, "z", 1, absl::UnixEpoch() + absl::Hours(1));
  const auto newer = Start(two_, "a", 2, absl::UnixEpoch());
  Deliver();
  EXPECT_TRUE(older->superseded);
  EXPECT_FALSE(newer->superseded);
}

TEST_F(SessionDirectoryTest, WithoutTheRegistryTheLaterStartDecidesThenTheId) {
  const auto later = Start(one_, "a", 0, absl::UnixEpoch() + absl::Seconds(1));
  const auto earlier = Start(two_, "z", 0);
  Deliver();
  EXPECT_FALSE(later->superseded);
  EXPECT_TRUE(earlier->superseded);
  SessionStart a, b;
  a.set_session_id("a");
  b.set_session_id("b");
  EXPECT_TRUE(IsNewer(b, a));
  EXPECT_FALSE(IsNewer(a, b));
}

TEST_F(SessionDirectoryTest, AnAnnouncementThatCameTooEarlyIsRepeated) {
  // The older session has no number yet and the later start when it hears of the newer one.
  const auto older = Start(one_, "z", -1, absl::UnixEpoch() + absl::Hours(1));
  const auto newer = Start(two_, "a", 2);
  Deliver();
  one_.directory.SetNumber(CallerOf("z"), 1);
  Deliver();
  EXPECT_TRUE(older->superseded);
  EXPECT_FALSE(newer->superseded);
}

TEST_F(SessionDirectoryTest, ASessionThatWasReplacedHereIsNotAnnounced) {
  const auto replaced = Start(one_, "a", -1);
  const auto newest = Start(one_, "b", 2);
  Deliver();
  EXPECT_TRUE(replaced->superseded);
  one_.directory.SetNumber(CallerOf("a"), 3);  // Its registration took longer.
  EXPECT_TRUE(bus_.waiting.empty());
  EXPECT_FALSE(newest->superseded);
}

TEST_F(SessionDirectoryTest, AfterAGapSessionsAreToldAgain) {
  const auto older = Start(one_, "z", 1);
  const auto newer = Start(two_, "a", 2);
  bus_.waiting.clear();  // Lost.
  bus_.gaps[0]();
  Deliver();
  EXPECT_TRUE(older->superseded);
  EXPECT_FALSE(newer->superseded);
}

TEST_F(SessionDirectoryTest, OneDeviceIsToldThatItWasRevoked) {
  const auto session = Start(one_, "z", 1);
  device_sync::v1::SessionNotice notice;
  notice.mutable_revoked()->set_user_id("ada");
  notice.mutable_revoked()->set_device_id("tablet");
  bus_.Publish("", notice.SerializeAsString());
  Deliver();
  EXPECT_EQ(session->revoked, 0);
  notice.mutable_revoked()->set_device_id("phone");
  bus_.Publish("", notice.SerializeAsString());
  Deliver();
  EXPECT_EQ(session->revoked, 1);
}

TEST_F(SessionDirectoryTest, WhatIsNoNoticeIsIgnored) {
  const auto session = Start(one_, "z", 1);
  bus_.Publish("", "\xff\xff nonsense");
  Deliver();
  EXPECT_FALSE(session->superseded);
}

class HeardAccess final : public AccessListener {
 public:
  void OnAccess(const std::shared_ptr<const Caller>& caller) override { callers.push_back(caller); }
  void OnRevoked(const device_sync::v1::DeviceName& device) override {
    revoked.push_back(device.device_id());
  }

  std::vector<std::shared_ptr<const Caller>> callers;
  std::vector<std::string> revoked;
};

TEST_F(SessionDirectoryTest, EveryNewTokenAndRevocationIsTold) {
  HeardAccess heard;
  one_.directory.ListenBy(heard);
  const auto session = Start(one_, "s", 1);
  ASSERT_EQ(heard.callers.size(), 1u);
  EXPECT_EQ(one_.directory.CallerOf("s"), heard.callers[0]);
  Caller fresh = CallerOf("s");
  fresh.spaces["team"] = Access::kRead;
  one_.directory.Refresh(std::make_shared<const Caller>(fresh));
  ASSERT_EQ(heard.callers.size(), 2u);
  EXPECT_EQ(one_.directory.CallerOf("s"), heard.callers[1]);
  EXPECT_EQ(AccessTo(*one_.directory.CallerOf("s"), "team"), Access::kRead);
  device_sync::v1::DeviceName other;
  other.set_user_id("ada");
  other.set_device_id("tablet");  // It has no session here.
  one_.directory.OnRevoked(other);
  EXPECT_EQ(heard.revoked, std::vector<std::string>{"tablet"});
  one_.directory.Remove(fresh);
  EXPECT_EQ(one_.directory.CallerOf("s"), nullptr);
}

}  // namespace
}  // namespace bdcsync::gateway
