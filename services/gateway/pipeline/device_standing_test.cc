#include "services/gateway/pipeline/device_standing.h"

#include <gmock/gmock.h>

#include <deque>
#include <optional>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;
using ::testing::SizeIs;

// A registry that answers when told to.
class SlowRegistry final : public DeviceClient {
 public:
  void RegisterDevices(device_sync::v1::RegisterDevicesRequest,
                       Done<device_sync::v1::RegisterDevicesResponse>) override {}
  void GetDevice(device_sync::v1::GetDeviceRequest request,
                 Done<device_sync::v1::GetDeviceResponse> done) override {
    asked.push_back(request.device_id());
    waiting.push_back(std::move(done));
  }
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

  void Answer(absl::StatusOr<int64_t> revoked_ms) {
    auto done = std::move(waiting.front());
    waiting.pop_front();
    if (!revoked_ms.ok()) {
      done(revoked_ms.status());
      return;
    }
    device_sync::v1::GetDeviceResponse response;
    response.mutable_device()->set_revoked_ms(*revoked_ms);
    done(std::move(response));
  }

  std::vector<std::string> asked;
  std::deque<Done<device_sync::v1::GetDeviceResponse>> waiting;
};

class DeviceStandingTest : public ::testing::Test {
 protected:
  // Nothing as long as the answer has not come.
  std::optional<absl::Status>& Check(const std::string& device) {
    std::optional<absl::Status>& answer = answers_.emplace_back();
    standing_.Check("ada", device, [&answer](absl::Status status) { answer = std::move(status); });
    return answer;
  }
  static device_sync::v1::DeviceName NameOf(const std::string& device) {
    device_sync::v1::DeviceName name;
    name.set_user_id("ada");
    name.set_device_id(device);
    return name;
  }

  ManualClock clock_{absl::UnixEpoch()};
  metrics::Registry metrics_;
  SlowRegistry registry_;
  DeviceStanding standing_{
      registry_, clock_, metrics_, {.age_max = absl::Seconds(30), .devices_max = 2}};
  std::deque<std::optional<absl::Status>> answers_;
};

TEST_F(DeviceStandingTest, CallsOfOneDeviceWaitForOneQuestionAndLaterOnesForNone) {
  const auto& first = Check("phone");
  const auto& second = Check("phone");
  EXPECT_THAT(registry_.asked, SizeIs(1));
  EXPECT_FALSE(first.has_value());
  registry_.Answer(0);
  EXPECT_OK(first.value());
  EXPECT_OK(second.value());
  clock_.Advance(absl::Seconds(30) - absl::Milliseconds(1));
  EXPECT_OK(Check("phone").value());
  EXPECT_THAT(registry_.asked, SizeIs(1));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_FALSE(Check("phone").has_value());
  EXPECT_THAT(registry_.asked, SizeIs(2));
}

TEST_F(DeviceStandingTest, ARevokedDeviceIsRefused) {
  const auto& first = Check("phone");
  registry_.Answer(1);
  EXPECT_THAT(first.value(), HasReason(Reason::kForbidden));
  EXPECT_THAT(Check("phone").value(), HasReason(Reason::kForbidden));
  EXPECT_TRUE(standing_.KnownRevoked("ada", "phone"));
  EXPECT_FALSE(standing_.KnownRevoked("eve", "phone"));
}

TEST_F(DeviceStandingTest, ADeviceThatIsNotRegisteredMayAct) {
  const auto& first = Check("phone");
  registry_.Answer(MakeError(Reason::kNotFound, "none"));
  EXPECT_OK(first.value());
}

TEST_F(DeviceStandingTest, WithoutAnAnswerWhatWasKnownCountsAndTheNextQuestionWaits) {
  const auto& unknown = Check("phone");
  registry_.Answer(absl::UnavailableError("away"));
  EXPECT_OK(unknown.value());
  EXPECT_OK(Check("phone").value());
  EXPECT_THAT(registry_.asked, SizeIs(1));
  clock_.Advance(absl::Seconds(1));
  (void)Check("phone");
  registry_.Answer(1);
  clock_.Advance(absl::Seconds(30));
  const auto& revoked = Check("phone");
  registry_.Answer(absl::UnavailableError("away"));
  EXPECT_THAT(revoked.value(), HasReason(Reason::kForbidden));
}

TEST_F(DeviceStandingTest, WhatTheBusTellsCountsAtOnceAndBeforeAnOlderAnswer) {
  const auto& asked = Check("phone");
  standing_.OnRevoked(NameOf("phone"));
  registry_.Answer(0);  // As it was read before.
  EXPECT_THAT(asked.value(), HasReason(Reason::kForbidden));
  EXPECT_THAT(Check("phone").value(), HasReason(Reason::kForbidden));
}

TEST_F(DeviceStandingTest, OneMoreThanAreKeptForgetsTheOneLongestKnown) {
  for (const char* device : {"a", "b"}) {
    (void)Check(device);
    registry_.Answer(0);
  }
  EXPECT_OK(Check("a").value());
  standing_.OnRevoked(NameOf("c"));
  EXPECT_OK(Check("b").value());
  EXPECT_THAT(registry_.asked, SizeIs(2));
  EXPECT_FALSE(Check("a").has_value());
  EXPECT_THAT(registry_.asked, SizeIs(3));
}

}  // namespace
}  // namespace bdcsync::gateway
