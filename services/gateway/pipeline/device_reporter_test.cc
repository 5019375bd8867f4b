#include "services/gateway/pipeline/device_reporter.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "libs/entity/cursor.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/fake_loop.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class FakeDevices final : public DeviceClient {
 public:
  void RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                       Done<device_sync::v1::RegisterDevicesResponse> done) override {
    device_sync::v1::RegisterDevicesResponse response;
    auto& registered = *response.add_results()->mutable_registered();
    *registered.mutable_device() = request.devices(0);
    if (revoked) registered.mutable_device()->set_revoked_ms(1);
    for (const std::string& space : stored_spaces) registered.add_spaces(space);
    done(std::move(response));
  }
  void GetDevice(device_sync::v1::GetDeviceRequest,
                 Done<device_sync::v1::GetDeviceResponse>) override {}
  void ListDevices(device_sync::v1::ListDevicesRequest,
                   Done<device_sync::v1::ListDevicesResponse>) override {}
  void RevokeDevice(device_sync::v1::RevokeDeviceRequest,
                    Done<device_sync::v1::RevokeDeviceResponse>) override {}
  void RecordPurges(device_sync::v1::RecordPurgesRequest request,
                    Done<device_sync::v1::RecordPurgesResponse> done) override {
    purges.push_back(std::move(request));
    if (status.ok()) {
      done(device_sync::v1::RecordPurgesResponse());
    } else {
      done(status);
    }
  }
  void Heartbeat(device_sync::v1::HeartbeatRequest request,
                 Done<device_sync::v1::HeartbeatResponse> done) override {
    heartbeats.push_back(std::move(request));
    heartbeat_done = std::move(done);
  }
  void AckCursors(device_sync::v1::AckCursorsRequest request,
                  Done<device_sync::v1::AckCursorsResponse> done) override {
    acks.push_back(std::move(request));
    if (hold_acks) {
      ack_done = std::move(done);
    } else {
      done(device_sync::v1::AckCursorsResponse());
    }
  }

  absl::Status status;
  bool revoked = false;                    // What registration finds of any device,
  std::vector<std::string> stored_spaces;  // and where it has data.
  bool hold_acks = false;
  Done<device_sync::v1::AckCursorsResponse> ack_done;
  std::vector<device_sync::v1::HeartbeatRequest> heartbeats;
  Done<device_sync::v1::HeartbeatResponse> heartbeat_done;
  std::vector<device_sync::v1::AckCursorsRequest> acks;
  std::vector<device_sync::v1::RecordPurgesRequest> purges;
};

class DeviceReporterTest : public ::testing::Test {
 protected:
  static Caller CallerOf(const std::string& device) {
    Caller caller;
    caller.user_id = "ada";
    caller.device_id = device;
    return caller;
  }
  std::vector<std::string> SpacesOf(const std::string& device) {
    std::vector<std::string> spaces;
    reporter_.Register(CallerOf(device), {}, [&](const absl::StatusOr<Registration>& answer) {
      spaces = answer.ok() ? answer->spaces : std::vector<std::string>{"refused"};
    });
    return spaces;
  }
  static std::string CursorAt(int64_t seq) { return entity::EncodeCursor({7, seq}); }

  ManualClock clock_{absl::UnixEpoch()};
  FakeLoop loop_{clock_};
  SeededRandom random_{1};
  log::CapturedLog log_;
  metrics::Registry registry_;
  FakeDevices devices_;
  std::vector<std::string> revoked_;
  DeviceReporter reporter_{devices_,
                           loop_,
                           random_,
                           log_.logger(),
                           registry_,
                           {.batch_items_max = 2, .waiting_max = 3},
                           [this](const device_sync::v1::DeviceName& device) {
                             revoked_.push_back(device.user_id() + " " + device.device_id());
                           }};
};

TEST_F(DeviceReporterTest, OfSeveralSignsOfLifeTheLastOneCountsAndKeepsTheState) {
  device_sync::v1::DeviceState state;
  state.set_battery_percent(7);
  reporter_.Heartbeat(CallerOf("phone"), state, false);
  reporter_.Heartbeat(CallerOf("phone"), std::nullopt, true);
  reporter_.Flush();
  ASSERT_THAT(devices_.heartbeats, SizeIs(1));
  ASSERT_EQ(devices_.heartbeats[0].items_size(), 1);
  EXPECT_TRUE(devices_.heartbeats[0].items(0).offline());
  EXPECT_EQ(devices_.heartbeats[0].items(0).state().battery_percent(), 7);
}

TEST_F(DeviceReporterTest, BatchesAreBoundedAndOneIsInFlightAtATime) {
  for (const char* device : {"a", "b", "c", "d"}) {
    reporter_.Heartbeat(CallerOf(device), std::nullopt, false);  // The fourth finds no room.
  }
  reporter_.Flush();
  reporter_.Flush();
  ASSERT_THAT(devices_.heartbeats, SizeIs(1));
  EXPECT_EQ(devices_.heartbeats[0].items_size(), 2);
  devices_.heartbeat_done(device_sync::v1::HeartbeatResponse());
  reporter_.Flush();
  ASSERT_THAT(devices_.heartbeats, SizeIs(2));
  EXPECT_EQ(devices_.heartbeats[1].items_size(), 1);
}

TEST_F(DeviceReporterTest, PositionsAreSentPerSpaceAndNonsenseIsRefused) {
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "team", CursorAt(1)));
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "team", CursorAt(2)));
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "team", CursorAt(1)));  // Never back.
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "other", CursorAt(1)));
  EXPECT_THAT(reporter_.AckCursor(CallerOf("a"), "team", "x"), HasReason(Reason::kInvalidArgument));
  reporter_.Flush();
  ASSERT_THAT(devices_.acks, SizeIs(1));
  ASSERT_EQ(devices_.acks[0].acks_size(), 2);
  for (const auto& ack : devices_.acks[0].acks()) {
    EXPECT_EQ(ack.position().seq(), ack.space() == "team" ? 2 : 1);
  }
}

TEST_F(DeviceReporterTest, SendsByItselfOnceStarted) {
  reporter_.Start();
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "team", CursorAt(1)));
  loop_.RunFor(absl::Seconds(1));
  EXPECT_THAT(devices_.acks, SizeIs(1));
}

TEST_F(DeviceReporterTest, AReceiptIsSentUntilItIsStored) {
  ASSERT_OK(reporter_.AckCursor(CallerOf("phone"), "team-1", CursorAt(1)));
  reporter_.Purged(CallerOf("phone"), "team-1");
  devices_.status = absl::UnavailableError("down");
  reporter_.Flush();
  devices_.status = absl::OkStatus();
  reporter_.Flush();
  reporter_.Flush();
  ASSERT_THAT(devices_.purges, SizeIs(2));
  EXPECT_EQ(devices_.purges[1].items(0).user_id(), "ada");
  EXPECT_EQ(devices_.purges[1].items(0).device_id(), "phone");
  EXPECT_EQ(devices_.purges[1].items(0).space(), "team-1");
  EXPECT_THAT(devices_.acks, SizeIs(0));  // Its position is forgotten with it.
}

TEST_F(DeviceReporterTest, ADeviceThatComesBackAtOnceHasWhatItAcknowledgedJustBefore) {
  devices_.stored_spaces = {"stored", "team"};
  devices_.hold_acks = true;
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "team", CursorAt(1)));
  EXPECT_OK(reporter_.AckCursor(CallerOf("a"), "waits", CursorAt(1)));
  EXPECT_OK(reporter_.AckCursor(CallerOf("b"), "of another", CursorAt(1)));
  EXPECT_THAT(SpacesOf("a"), UnorderedElementsAre("stored", "team", "waits"));

  reporter_.Flush();  // The two of "a" are on their way.
  EXPECT_THAT(SpacesOf("a"), UnorderedElementsAre("stored", "team", "waits"));
  reporter_.Purged(CallerOf("a"), "waits");
  EXPECT_THAT(SpacesOf("a"), UnorderedElementsAre("stored", "team"));
  std::move(devices_.ack_done)(device_sync::v1::AckCursorsResponse());
  EXPECT_THAT(SpacesOf("a"), UnorderedElementsAre("stored", "team"));
  EXPECT_THAT(SpacesOf("b"), UnorderedElementsAre("stored", "team", "of another"));
}

TEST_F(DeviceReporterTest, ARevokedDeviceThatRegistersIsToldToAll) {
  devices_.revoked = true;
  bool revoked = false;
  reporter_.Register(CallerOf("phone"), {}, [&revoked](const absl::StatusOr<Registration>& answer) {
    revoked = answer.ok() && answer->revoked;
  });
  EXPECT_TRUE(revoked);
  EXPECT_THAT(revoked_, ::testing::ElementsAre("ada phone"));
}

TEST_F(DeviceReporterTest, RevokedDevicesInAnAnswerToSignsOfLifeAreTold) {
  reporter_.Heartbeat(CallerOf("phone"), std::nullopt, false);
  reporter_.Flush();
  device_sync::v1::HeartbeatResponse answer;
  answer.add_revoked()->set_user_id("ada");
  answer.mutable_revoked(0)->set_device_id("phone");
  std::move(devices_.heartbeat_done)(std::move(answer));
  EXPECT_THAT(revoked_, ::testing::ElementsAre("ada phone"));
}

}  // namespace
}  // namespace bdcsync::gateway
