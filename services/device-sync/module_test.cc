// The service as others meet it: over gRPC, on both stores.
#include "services/device-sync/module.h"

#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "bdcsync/device_sync/v1/device_sync.grpc.pb.h"
#include "libs/app/app.h"
#include "libs/app/context.h"
#include "libs/bus/bus.h"
#include "libs/metrics/registry.h"
#include "libs/rpc/unary.h"
#include "libs/testing/postgres.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"

namespace bdcsync::device_sync {
namespace {

using ::bdcsync::testing::HasReason;
using Stub = v1::DeviceSyncService::StubInterface;

class ModuleTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    app::Modules modules = app::MakeModules(MakeModule());
    ASSERT_OK_AND_ASSIGN(config::Values values, app::TestValues(modules, folder_.path(), settings));
    ASSERT_OK_AND_ASSIGN(app_, app::App::Start(std::move(modules), std::move(values)));
    stub_ = v1::DeviceSyncService::NewStub(app_->channel());
  }
  void Restart(const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    stub_.reset();
    app_.reset();
    Start(settings);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    return rpc::Call<Stub>(*stub_, method, request, rpc::CallOptions());
  }
  absl::StatusOr<v1::RegisterDeviceResponse> Register(const std::string& user,
                                                      const std::string& id) {
    v1::RegisterDeviceRequest request;
    request.mutable_device()->set_user_id(user);
    request.mutable_device()->set_device_id(id);
    return Call(&Stub::RegisterDevice, request);
  }
  absl::StatusOr<v1::GetDeviceResponse> Get(const std::string& user, const std::string& id) {
    v1::GetDeviceRequest request;
    request.set_user_id(user);
    request.set_device_id(id);
    return Call(&Stub::GetDevice, request);
  }
  void LiveOneLife(const std::vector<std::pair<std::string, std::string>>& settings);

  testing::TempDir folder_;
  std::unique_ptr<app::App> app_;
  std::unique_ptr<Stub> stub_;
};

// A device's whole life, with a restart in the middle.
void ModuleTest::LiveOneLife(const std::vector<std::pair<std::string, std::string>>& settings) {
  ASSERT_NO_FATAL_FAILURE(Start(settings));
  ASSERT_OK_AND_ASSIGN(const auto registered, Register("ada", "phone"));
  EXPECT_TRUE(registered.device().online());
  EXPECT_GT(registered.device().registered_ms(), 0);

  v1::HeartbeatRequest heartbeat;
  heartbeat.add_items()->set_user_id("ada");
  heartbeat.mutable_items(0)->set_device_id("phone");
  heartbeat.mutable_items(0)->set_offline(true);
  ASSERT_OK(Call(&Stub::Heartbeat, heartbeat));
  v1::AckCursorsRequest acks;
  v1::CursorAck& ack = *acks.add_acks();
  ack.set_user_id("ada");
  ack.set_device_id("phone");
  ack.set_space("team");
  ack.mutable_position()->set_epoch(3);
  ack.mutable_position()->set_seq(12);
  ASSERT_OK(Call(&Stub::AckCursors, acks));

  ASSERT_NO_FATAL_FAILURE(Restart(settings));
  ASSERT_OK_AND_ASSIGN(const auto device, Get("ada", "phone"));
  EXPECT_FALSE(device.device().online());
  v1::GetCursorsRequest which;
  which.set_user_id("ada");
  which.set_device_id("phone");
  ASSERT_OK_AND_ASSIGN(const auto cursors, Call(&Stub::GetCursors, which));
  ASSERT_EQ(cursors.cursors_size(), 1);
  EXPECT_EQ(cursors.cursors(0).position().seq(), 12);
  v1::ListDevicesRequest list;
  list.set_user_id("ada");
  ASSERT_OK_AND_ASSIGN(const auto devices, Call(&Stub::ListDevices, list));
  EXPECT_EQ(devices.devices_size(), 1);
  v1::RemoveDeviceRequest remove;
  remove.set_user_id("ada");
  remove.set_device_id("phone");
  ASSERT_OK(Call(&Stub::RemoveDevice, remove));
  EXPECT_THAT(Get("ada", "phone"), HasReason(Reason::kNotFound));
}

TEST_F(ModuleTest, ADeviceLivesThroughARestartOnSqlite) { LiveOneLife({}); }

TEST_F(ModuleTest, ADeviceLivesThroughARestartOnPostgres) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  LiveOneLife({{"storage.url", database->url()}});
  app_.reset();
}

TEST_F(ModuleTest, ABatchOfRegistrationsIsAnsweredItemByItem) {
  ASSERT_NO_FATAL_FAILURE(Start({{"device_sync.devices_per_user_max", "1"}}));
  v1::RegisterDevicesRequest request;
  for (const char* id : {"phone", "tablet", ""}) {
    request.add_devices()->set_user_id("ada");
    request.mutable_devices(request.devices_size() - 1)->set_device_id(id);
  }
  ASSERT_OK_AND_ASSIGN(const auto answer, Call(&Stub::RegisterDevices, request));
  ASSERT_EQ(answer.results_size(), 3);
  EXPECT_EQ(answer.results(0).registered().session_number(), 1);
  EXPECT_EQ(answer.results(1).error().code(), "quota_exceeded");
  EXPECT_EQ(answer.results(2).error().path(), "device_id");
}

TEST_F(ModuleTest, RefusalsKeepTheirReasonAndFieldOverTheWire) {
  ASSERT_NO_FATAL_FAILURE(Start({{"device_sync.devices_per_user_max", "1"}}));
  ASSERT_OK(Register("ada", "phone"));
  EXPECT_THAT(Register("ada", "tablet"), HasReason(Reason::kQuotaExceeded));
  EXPECT_EQ(PathOf(Register("ada", "").status()), "device_id");
}

TEST_F(ModuleTest, ARevocationIsToldToTheGatewaysAndReceiptsAreCounted) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(Register("ada", "phone"));
  absl::Notification told;
  const auto subscription = app_->context().bus().Subscribe(
      "bdc:sessions",
      [&told](absl::string_view payload) {
        v1::SessionNotice notice;
        const bool parsed = notice.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
        if (parsed && notice.revoked().user_id() == "ada" &&
            notice.revoked().device_id() == "phone") {
          told.Notify();
        }
        return parsed;
      },
      [] {});
  v1::RevokeDeviceRequest revoke;
  revoke.set_user_id("ada");
  revoke.set_device_id("phone");
  ASSERT_OK_AND_ASSIGN(const auto revoked, Call(&Stub::RevokeDevice, revoke));
  EXPECT_GT(revoked.device().revoked_ms(), 0);
  told.WaitForNotification();
  v1::HeartbeatRequest heartbeat;
  heartbeat.add_items()->set_user_id("ada");
  heartbeat.mutable_items(0)->set_device_id("phone");
  ASSERT_OK_AND_ASSIGN(const auto answer, Call(&Stub::Heartbeat, heartbeat));
  ASSERT_EQ(answer.revoked_size(), 1);
  EXPECT_EQ(answer.revoked(0).device_id(), "phone");
  v1::RecordPurgesRequest purges;
  purges.add_items()->set_user_id("ada");
  purges.mutable_items(0)->set_device_id("phone");
  ASSERT_OK(Call(&Stub::RecordPurges, purges));
  ASSERT_OK_AND_ASSIGN(const auto device, Get("ada", "phone"));
  EXPECT_EQ(device.device().purges_size(), 1);
  const std::string page = app_->context().metrics().Render();
  EXPECT_NE(page.find("bdcsync_device_sync_revocations_total 1"), std::string::npos);
  EXPECT_NE(page.find("bdcsync_device_sync_purges_total 1"), std::string::npos);
}

TEST_F(ModuleTest, UsersMayChooseTheSameDeviceId) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(Register("ada", "phone"));
  ASSERT_OK_AND_ASSIGN(const auto eves, Register("eve", "phone"));
  EXPECT_EQ(eves.device().user_id(), "eve");
  ASSERT_OK_AND_ASSIGN(const auto adas, Get("ada", "phone"));
  EXPECT_EQ(adas.device().user_id(), "ada");
}

TEST_F(ModuleTest, ReadinessFollowsTheDatabase) {
  BDC_NEEDS_POSTGRES();
  ASSERT_OK_AND_ASSIGN(const auto database, testing::PostgresDatabase::Create());
  ASSERT_NO_FATAL_FAILURE(Start({{"storage.url", database->url()}}));
  EXPECT_OK(app_->Readiness());
  ASSERT_OK(database->AllowConnections(false));
  ASSERT_OK(database->CutConnections());
  EXPECT_THAT(Register("ada", "phone"), HasReason(Reason::kUnavailable));
  while (app_->Readiness().ok()) std::this_thread::yield();  // The test's own time limit ends it.
  ASSERT_OK(database->AllowConnections(true));
  while (!app_->Readiness().ok()) std::this_thread::yield();
  EXPECT_OK(Register("ada", "phone"));
  app_.reset();
}

TEST_F(ModuleTest, SignsOfLifeAreCountedByWhatBecameOfThem) {
  ASSERT_NO_FATAL_FAILURE(Start());
  ASSERT_OK(Register("ada", "phone"));
  v1::HeartbeatRequest heartbeat;
  for (const char* id : {"phone", "unknown"}) {
    v1::HeartbeatItem& item = *heartbeat.add_items();
    item.set_user_id("ada");
    item.set_device_id(id);
  }
  ASSERT_OK(Call(&Stub::Heartbeat, heartbeat));
  const std::string page = app_->context().metrics().Render();
  EXPECT_NE(page.find("bdcsync_device_sync_heartbeats_total{outcome=\"noted\"} 1"),
            std::string::npos);
  EXPECT_NE(page.find("bdcsync_device_sync_heartbeats_total{outcome=\"skipped\"} 1"),
            std::string::npos);
}

TEST_F(ModuleTest, AStorageUrlOfNoKnownKindStopsTheStart) {
  app::Modules modules = app::MakeModules(MakeModule());
  ASSERT_OK_AND_ASSIGN(config::Values values,
                       app::TestValues(modules, folder_.path(), {{"storage.url", "mysql://x"}}));
  EXPECT_THAT(app::App::Start(std::move(modules), std::move(values)).status(),
              bdcsync::testing::StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::device_sync
