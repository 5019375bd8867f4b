#include "services/gateway/pipeline/device_registrar.h"

#include <gmock/gmock.h>

#include <deque>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

using bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A registry that answers when told to.
class SlowDevices final : public DeviceClient {
 public:
  struct Call {
    device_sync::v1::RegisterDevicesRequest request;
    std::string request_id;
    Done<device_sync::v1::RegisterDevicesResponse> done;
  };

  void RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                       Done<device_sync::v1::RegisterDevicesResponse> done) override {
    calls.push_back({std::move(request), CallScope::Current().request_id, std::move(done)});
  }
  void GetDevice(device_sync::v1::GetDeviceRequest,
                 Done<device_sync::v1::GetDeviceResponse>) override {}
  void ListDevices(device_sync::v1::ListDevicesRequest,
                   Done<device_sync::v1::ListDevicesResponse>) override {}
  void RevokeDevice(device_sync::v1::RevokeDeviceRequest,
                    Done<device_sync::v1::RevokeDeviceResponse>) override {}
  void RecordPurges(device_sync::v1::RecordPurgesRequest,
                    Done<device_sync::v1::RecordPurgesResponse>) override {}
  void Heartbeat(device_sync::v1::HeartbeatRequest,
                 Done<device_sync::v1::HeartbeatResponse>) override {}
  void AckCursors(device_sync::v1::AckCursorsRequest,
                  Done<device_sync::v1::AckCursorsResponse>) override {}

  // Registers everything; the devices named "full" are refused, those named "revoked" are.
  void AnswerNext() {
    Call call = std::move(calls.front());
    calls.pop_front();
    device_sync::v1::RegisterDevicesResponse response;
    for (const device_sync::v1::Device& device : call.request.devices()) {
      device_sync::v1::RegisterDeviceResult& result = *response.add_results();
      if (device.device_id() == "full") {
        result.mutable_error()->set_code("quota_exceeded");
        continue;
      }
      *result.mutable_registered()->mutable_device() = device;
      if (device.device_id() == "revoked") {
        result.mutable_registered()->mutable_device()->set_revoked_ms(1);
        continue;
      }
      result.mutable_registered()->set_session_number(++number);
      result.mutable_registered()->add_spaces("team");
    }
    call.done(std::move(response));
  }
  std::vector<std::string> WaitingIds(size_t call) const {
    std::vector<std::string> ids;
    for (const auto& device : calls[call].request.devices()) ids.push_back(device.device_id());
    return ids;
  }

  std::deque<Call> calls;
  int64_t number = 0;
};

class DeviceRegistrarTest : public ::testing::Test {
 protected:
  void Register(const std::string& device) {
    Caller caller;
    caller.user_id = "ada";
    caller.device_id = device;
    caller.session_id = "s-" + device;
    registrar_.Register(caller, {}, [this, device](const absl::StatusOr<Registration>& answer) {
      statuses_[device] = answer.status();
      if (answer.ok()) answers_.emplace_back(device, *answer);
    });
  }
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const auto& [device, answer] : answers_) {
      told.push_back(absl::StrCat(device, ":", answer.session_number));
    }
    return told;
  }

  SeededRandom random_{1};
  log::CapturedLog log_;
  metrics::Registry registry_;
  metrics::Counter& dropped_ = registry_.AddCounter({"dropped", "Test."});
  metrics::Counter& failures_ = registry_.AddCounter({"failures", "Test."});
  metrics::Histogram& batch_items_ =
      registry_.AddHistogram({"items", "Test."}, metrics::SizeBuckets());
  SlowDevices devices_;
  std::vector<std::pair<std::string, Registration>> answers_;
  std::map<std::string, absl::Status> statuses_;
  DeviceRegistrar registrar_{devices_,
                             random_,
                             log_.logger(),
                             {dropped_, failures_, batch_items_},
                             {.in_flight_max = 1, .batch_items_max = 3, .waiting_max = 4}};
};

TEST_F(DeviceRegistrarTest, TheFirstGoesAtOnceAndWhatComesMeanwhileGoesTogether) {
  for (const char* device : {"a", "b", "c", "d", "e"}) Register(device);
  ASSERT_THAT(devices_.calls, SizeIs(1));
  EXPECT_THAT(devices_.WaitingIds(0), ElementsAre("a"));
  EXPECT_EQ(devices_.calls[0].request_id, "s-a/authenticate");
  EXPECT_EQ(registrar_.waiting(), 4u);
  devices_.AnswerNext();
  ASSERT_THAT(devices_.calls, SizeIs(1));
  EXPECT_THAT(devices_.WaitingIds(0), ElementsAre("b", "c", "d"));  // No more than a batch takes.
  EXPECT_THAT(devices_.calls[0].request_id, StartsWith("batch-"));
  devices_.AnswerNext();
  devices_.AnswerNext();
  EXPECT_THAT(Told(), ElementsAre("a:1", "b:2", "c:3", "d:4", "e:5"));
  EXPECT_THAT(answers_[4].second.spaces, ElementsAre("team"));
  EXPECT_EQ(batch_items_.count(), 3u);
  EXPECT_EQ(registrar_.waiting(), 0u);
}

TEST_F(DeviceRegistrarTest, RegistrationsOfOneDeviceStayInOrder) {
  Register("first");
  for (int i = 0; i < 3; ++i) Register("phone");
  while (!devices_.calls.empty()) devices_.AnswerNext();
  EXPECT_THAT(Told(), ElementsAre("first:1", "phone:2", "phone:3", "phone:4"));
}

TEST_F(DeviceRegistrarTest, WhatIsRefusedOrRevokedIsToldToThatSessionOnly) {
  for (const char* device : {"first", "full", "revoked", "b"}) Register(device);
  devices_.AnswerNext();
  devices_.AnswerNext();
  EXPECT_THAT(statuses_["full"], HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(Told(), ElementsAre("first:1", "revoked:0", "b:2"));
  EXPECT_TRUE(answers_[1].second.revoked);
  EXPECT_FALSE(answers_[2].second.revoked);
  EXPECT_EQ(failures_.value(), 1);
}

TEST_F(DeviceRegistrarTest, AFailedCallFailsAllOfItsSessionsAndTheNextOneIsMade) {
  for (const char* device : {"first", "a", "b"}) Register(device);
  devices_.AnswerNext();
  devices_.calls[0].done(absl::UnavailableError("down"));
  EXPECT_THAT(statuses_["a"], HasReason(Reason::kUnavailable));
  EXPECT_THAT(statuses_["b"], HasReason(Reason::kUnavailable));
  EXPECT_EQ(failures_.value(), 1);
  devices_.calls.clear();
  Register("c");
  devices_.AnswerNext();
  EXPECT_OK(statuses_["c"]);
}

TEST_F(DeviceRegistrarTest, AnAnswerThatLeavesResultsOutFailsTheCall) {
  Register("a");
  devices_.calls[0].done(device_sync::v1::RegisterDevicesResponse());
  EXPECT_THAT(statuses_["a"], HasReason(Reason::kInternal));
}

TEST_F(DeviceRegistrarTest, OneMoreThanMayWaitIsTurnedAwayAtOnceAndCounted) {
  Register("in flight");
  for (const char* device : {"a", "b", "c", "d"}) Register(device);
  EXPECT_EQ(dropped_.value(), 0);
  Register("e");
  EXPECT_THAT(statuses_["e"], HasReason(Reason::kUnavailable));
  EXPECT_EQ(dropped_.value(), 1);
  while (!devices_.calls.empty()) devices_.AnswerNext();
  EXPECT_THAT(answers_, SizeIs(5));
}

}  // namespace
}  // namespace bdcsync::gateway
