#include "services/device-sync/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/sql/sqlite.h"
#include "libs/testing/status_matchers.h"
#include "services/device-sync/limits.h"
#include "services/device-sync/storage/sqlite_device_storage.h"

namespace bdcsync::device_sync {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;

constexpr absl::Duration kInterval = absl::Seconds(30);

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(storage_, OpenSqliteDeviceStorage(sql::kSqliteMemory));
    registry_ = std::make_unique<Registry>(*storage_, clock_,
                                           RegistryOptions{.heartbeat_interval = kInterval});
  }

  static v1::Device DeviceOf(const std::string& user, const std::string& id) {
    v1::Device device;
    device.set_user_id(user);
    device.set_device_id(id);
    return device;
  }
  void Register(const std::string& user, const std::string& id) {
    ASSERT_OK(registry_->Register(DeviceOf(user, id)));
  }
  bool Online(const std::string& user, const std::string& id) {
    const auto device = registry_->Get(user, id);
    EXPECT_OK(device);
    return device.ok() && device->online();
  }
  absl::Status Beat(const std::string& user, const std::string& id, bool offline = false) {
    v1::HeartbeatRequest request;
    v1::HeartbeatItem& item = *request.add_items();
    item.set_user_id(user);
    item.set_device_id(id);
    item.set_offline(offline);
    return registry_->Heartbeat(request).status();
  }
  static void AddAck(v1::AckCursorsRequest& request, const std::string& id, uint64_t epoch,
                     int64_t seq) {
    v1::CursorAck& ack = *request.add_acks();
    ack.set_user_id("ada");
    ack.set_device_id(id);
    ack.set_space("team");
    ack.mutable_position()->set_epoch(epoch);
    ack.mutable_position()->set_seq(seq);
  }

  ManualClock clock_{absl::FromUnixMillis(1'700'000'000'000)};
  std::unique_ptr<DeviceStorage> storage_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, ADeviceIsOnlineForTwoIntervalsAfterItsLastSignOfLife) {
  Register("ada", "phone");
  EXPECT_TRUE(Online("ada", "phone"));
  clock_.Advance(2 * kInterval);
  EXPECT_TRUE(Online("ada", "phone"));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_FALSE(Online("ada", "phone"));
  ASSERT_OK(Beat("ada", "phone"));
  EXPECT_TRUE(Online("ada", "phone"));
}

TEST_F(RegistryTest, ADeviceThatSignsOffIsOfflineAtOnceUntilItReturns) {
  Register("ada", "phone");
  ASSERT_OK(Beat("ada", "phone", /*offline=*/true));
  EXPECT_FALSE(Online("ada", "phone"));
  Register("ada", "phone");
  EXPECT_TRUE(Online("ada", "phone"));
}

TEST_F(RegistryTest, AnotherIntervalTakesEffectAtOnce) {
  Register("ada", "phone");
  clock_.Advance(2 * kInterval);
  registry_->set_heartbeat_interval(kInterval / 2);
  EXPECT_FALSE(Online("ada", "phone"));
}

TEST_F(RegistryTest, ADeviceThatSaidNothingOfItselfHasAnUnsaidBattery) {
  ASSERT_OK_AND_ASSIGN(const auto answer, registry_->Register(DeviceOf("ada", "phone")));
  const v1::Device& device = answer.device();
  EXPECT_EQ(device.state().battery_percent(), kBatteryUnsaid);
  EXPECT_EQ(device.state().network(), v1::NETWORK_UNSPECIFIED);
  EXPECT_TRUE(device.online());
}

TEST_F(RegistryTest, ADeviceThatIsNotThereIsNotFoundAndNeitherIsAForeignOne) {
  Register("ada", "phone");
  EXPECT_THAT(registry_->Get("ada", "tablet"), HasReason(Reason::kNotFound));
  EXPECT_THAT(registry_->Get("eve", "phone"), HasReason(Reason::kNotFound));
}

TEST_F(RegistryTest, InABatchDevicesOfOneIdOfTwoUsersAreKeptApart) {
  Register("ada", "phone");
  Register("eve", "phone");
  v1::HeartbeatRequest beats;
  v1::AckCursorsRequest acks;
  for (const char* user : {"eve", "ada"}) {
    v1::HeartbeatItem& item = *beats.add_items();
    item.set_user_id(user);
    item.set_device_id("phone");
    item.set_offline(item.user_id() == "eve");
    AddAck(acks, "phone", 1, item.user_id() == "eve" ? 9 : 5);
    acks.mutable_acks(acks.acks_size() - 1)->set_user_id(user);
  }
  ASSERT_OK_AND_ASSIGN(const Noted noted, registry_->Heartbeat(beats));
  EXPECT_EQ(noted.count, 2);
  EXPECT_TRUE(Online("ada", "phone"));
  EXPECT_FALSE(Online("eve", "phone"));
  ASSERT_OK(registry_->AckCursors(acks));
  ASSERT_OK_AND_ASSIGN(const auto adas, registry_->GetCursors("ada", "phone"));
  EXPECT_EQ(adas.cursors(0).position().seq(), 5);
  ASSERT_OK_AND_ASSIGN(const auto eves, registry_->GetCursors("eve", "phone"));
  EXPECT_EQ(eves.cursors(0).position().seq(), 9);
}

TEST_F(RegistryTest, PagesCoverAllDevicesOnceAtEverySize) {
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    clock_.Advance(absl::Milliseconds(i % 2));  // Some are seen in the same millisecond.
    Register("ada", absl::StrCat("d", i));
  }
  ASSERT_OK_AND_ASSIGN(const auto all, registry_->List([] {
    v1::ListDevicesRequest request;
    request.set_user_id("ada");
    return request;
  }()));
  EXPECT_EQ(all.next_page_token(), "");
  for (const v1::Device& device : all.devices()) expected.push_back(device.device_id());
  ASSERT_EQ(expected.size(), 7u);
  for (int limit = 1; limit <= 8; ++limit) {
    std::vector<std::string> seen;
    v1::ListDevicesRequest request;
    request.set_user_id("ada");
    request.set_limit(limit);
    do {
      ASSERT_OK_AND_ASSIGN(const auto page, registry_->List(request));
      ASSERT_LE(page.devices_size(), limit);
      for (const v1::Device& device : page.devices()) seen.push_back(device.device_id());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(seen, expected) << "limit " << limit;
  }
}

// All receipts of 500 devices are more than a message may be.
TEST_F(RegistryTest, APageEndsEarlyWhereDevicesHaveManyReceipts) {
  constexpr int kDevices = 2 * static_cast<int>(kDevicesWithPurgesMax) + 1;
  const std::string padding(kUserIdBytesMax - 10, 'x');
  for (int i = 0; i < kDevices; ++i) {
    const std::string id = absl::StrCat("d", i);
    Register("ada", id);
    v1::RecordPurgesRequest request;
    for (int space = 0; space < kPurgesPerDeviceMax; ++space) {
      v1::PurgeItem& item = *request.add_items();
      item.set_user_id("ada");
      item.set_device_id(id);
      item.set_space(absl::StrCat(padding, space));
    }
    ASSERT_OK(registry_->RecordPurges(request));
  }
  v1::ListDevicesRequest request;
  request.set_user_id("ada");
  request.set_limit(kListLimitMax);
  int seen = 0;
  int pages = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const auto page, registry_->List(request));
    EXPECT_LT(page.ByteSizeLong(), 3 * kListBytesMax);
    for (const v1::Device& device : page.devices()) {
      EXPECT_EQ(device.purges_size(), kPurgesPerDeviceMax) << device.device_id();
    }
    seen += page.devices_size();
    ++pages;
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, kDevices);
  EXPECT_GT(pages, 1);
}

TEST_F(RegistryTest, InABatchTheLastSignAndTheLastStateOfADeviceCount) {
  Register("ada", "phone");
  v1::HeartbeatRequest request;
  for (int i = 0; i < 3; ++i) {
    v1::HeartbeatItem& item = *request.add_items();
    item.set_user_id("ada");
    item.set_device_id("phone");
    item.set_offline(i == 0);
    if (i < 2) item.mutable_state()->set_battery_percent(10 + i);
  }
  ASSERT_OK_AND_ASSIGN(const Noted noted, registry_->Heartbeat(request));
  EXPECT_EQ(noted.count, 1);
  ASSERT_OK_AND_ASSIGN(const v1::Device device, registry_->Get("ada", "phone"));
  EXPECT_EQ(device.state().battery_percent(), 11);
  EXPECT_TRUE(device.online());
}

TEST_F(RegistryTest, InABatchTheFurthestPositionOfTheLastEpochCounts) {
  Register("ada", "phone");
  v1::AckCursorsRequest request;
  AddAck(request, "phone", 1, 9);
  AddAck(request, "phone", 2, 5);
  AddAck(request, "phone", 2, 7);
  AddAck(request, "phone", 2, 6);
  ASSERT_OK(registry_->AckCursors(request));
  ASSERT_OK_AND_ASSIGN(const auto response, registry_->GetCursors("ada", "phone"));
  ASSERT_EQ(response.cursors_size(), 1);
  EXPECT_EQ(response.cursors(0).position().epoch(), 2u);
  EXPECT_EQ(response.cursors(0).position().seq(), 7);
  EXPECT_EQ(response.cursors(0).device_id(), "phone");
}

TEST_F(RegistryTest, AnEmptyBatchIsFineAndOneTooManyIsRefused) {
  ASSERT_OK(registry_->Heartbeat(v1::HeartbeatRequest()));
  ASSERT_OK(registry_->AckCursors(v1::AckCursorsRequest()));
  v1::HeartbeatRequest heartbeat;
  v1::AckCursorsRequest acks;
  for (int i = 0; i < kBatchItemsMax; ++i) {
    heartbeat.add_items()->set_user_id("ada");
    heartbeat.mutable_items(i)->set_device_id("phone");
    AddAck(acks, "phone", 1, i);
  }
  EXPECT_OK(registry_->Heartbeat(heartbeat));
  EXPECT_OK(registry_->AckCursors(acks));
  *heartbeat.add_items() = heartbeat.items(0);
  *acks.add_acks() = acks.acks(0);
  EXPECT_THAT(registry_->Heartbeat(heartbeat), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(registry_->AckCursors(acks), HasReason(Reason::kInvalidArgument));
}

TEST_F(RegistryTest, ABatchWithOneBadItemChangesNothing) {
  Register("ada", "phone");
  v1::AckCursorsRequest request;
  AddAck(request, "phone", 1, 5);
  AddAck(request, "phone", 1, -1);
  EXPECT_THAT(registry_->AckCursors(request), HasReason(Reason::kInvalidArgument));
  ASSERT_OK_AND_ASSIGN(const auto response, registry_->GetCursors("ada", "phone"));
  EXPECT_EQ(response.cursors_size(), 0);
}

TEST_F(RegistryTest, WhatIsTooLongEmptyOrUnprintableIsRefusedAtItsField) {
  const auto field = [this](const v1::Device& device) {
    return PathOf(registry_->Register(device).status());
  };
  EXPECT_EQ(field(DeviceOf("", "d")), "user_id");
  EXPECT_EQ(field(DeviceOf("ada", "")), "device_id");
  EXPECT_EQ(field(DeviceOf("ada", std::string(kDeviceIdBytesMax, 'd'))), "");
  EXPECT_EQ(field(DeviceOf("ada", std::string(kDeviceIdBytesMax + 1, 'd'))), "device_id");
  EXPECT_EQ(field(DeviceOf("ada", "a\nb")), "device_id");
  EXPECT_EQ(field(DeviceOf("ada", "\xff")), "device_id");
  v1::Device device = DeviceOf("ada", "d");
  device.set_platform(std::string(kDescriptionBytesMax + 1, 'p'));
  EXPECT_EQ(field(device), "platform");
  device = DeviceOf("ada", "d");
  device.mutable_state()->set_battery_percent(101);
  EXPECT_EQ(field(device), "state.battery_percent");
  device.mutable_state()->set_battery_percent(-2);
  EXPECT_EQ(field(device), "state.battery_percent");
  device.mutable_state()->set_battery_percent(100);
  device.mutable_state()->set_budget_bytes_per_s(-1);
  EXPECT_EQ(field(device), "state.budget_bytes_per_s");
  device.mutable_state()->set_budget_bytes_per_s(0);
  device.mutable_state()->set_network(static_cast<v1::Network>(99));
  EXPECT_EQ(field(device), "state.network");
}

TEST_F(RegistryTest, AForeignOrBrokenPageTokenAndABadLimitAreRefused) {
  v1::ListDevicesRequest request;
  request.set_user_id("ada");
  for (const char* token : {"x", "!!", "YWJj", "MTIz"}) {
    request.set_page_token(token);
    EXPECT_THAT(registry_->List(request), HasReason(Reason::kInvalidArgument)) << token;
  }
  for (const absl::string_view text : {"5:", "5:\xff", ":d1"}) {
    request.set_page_token(absl::WebSafeBase64Escape(text));
    EXPECT_THAT(registry_->List(request), HasReason(Reason::kInvalidArgument)) << text;
  }
  request.clear_page_token();
  request.set_limit(kListLimitMax);
  EXPECT_OK(registry_->List(request));
  request.set_limit(kListLimitMax + 1);
  EXPECT_THAT(registry_->List(request), HasReason(Reason::kInvalidArgument));
  request.set_limit(-1);
  EXPECT_THAT(registry_->List(request), HasReason(Reason::kInvalidArgument));
}

TEST_F(RegistryTest, ARegistrationTellsItsNumberAndWhereTheDeviceHasAPosition) {
  Register("ada", "phone");
  v1::AckCursorsRequest acks;
  AddAck(acks, "phone", 1, 5);
  ASSERT_OK(registry_->AckCursors(acks));
  ASSERT_OK_AND_ASSIGN(const auto again, registry_->Register(DeviceOf("ada", "phone")));
  EXPECT_EQ(again.session_number(), 2);
  EXPECT_THAT(again.spaces(), ElementsAre("team"));
}

TEST_F(RegistryTest, ABatchOfRegistrationsIsAnsweredOneByOneAndCountsEach) {
  Register("ada", "phone");
  const v1::Device bad = DeviceOf("ada", "");
  v1::Device charged = DeviceOf("ada", "phone");
  charged.set_client_version("1");
  charged.mutable_state()->set_battery_percent(77);
  v1::Device latest = DeviceOf("ada", "phone");
  latest.set_client_version("2");
  const v1::Device tablet = DeviceOf("ada", "tablet");
  ASSERT_OK_AND_ASSIGN(const auto answers,
                       registry_->RegisterAll({&charged, &bad, &tablet, &latest}));
  ASSERT_EQ(answers.size(), 4u);
  ASSERT_OK(answers[0]);
  EXPECT_EQ(answers[0]->session_number(), 2);
  EXPECT_EQ(PathOf(answers[1].status()), "device_id");
  ASSERT_OK(answers[2]);
  EXPECT_EQ(answers[2]->device().device_id(), "tablet");
  EXPECT_EQ(answers[2]->session_number(), 1);
  ASSERT_OK(answers[3]);
  EXPECT_EQ(answers[3]->session_number(), 3);
  ASSERT_OK_AND_ASSIGN(const v1::Device stored, registry_->Get("ada", "phone"));
  EXPECT_EQ(stored.client_version(), "2");
  EXPECT_EQ(stored.state().battery_percent(), 77);
}

TEST_F(RegistryTest, ABatchOfRegistrationsHasASizeAndMayBeEmptyOrAllRefused) {
  ASSERT_OK_AND_ASSIGN(const auto none, registry_->RegisterAll({}));
  EXPECT_TRUE(none.empty());
  const v1::Device bad = DeviceOf("", "phone");
  ASSERT_OK_AND_ASSIGN(const auto refused, registry_->RegisterAll({&bad}));
  EXPECT_THAT(refused[0], HasReason(Reason::kInvalidArgument));
  const v1::Device phone = DeviceOf("ada", "phone");
  std::vector<const v1::Device*> many(kRegistrationsMax, &phone);
  ASSERT_OK_AND_ASSIGN(const auto all, registry_->RegisterAll(many));
  EXPECT_EQ(all.back()->session_number(), kRegistrationsMax);
  many.push_back(&phone);
  EXPECT_THAT(registry_->RegisterAll(many), HasReason(Reason::kInvalidArgument));
}

TEST_F(RegistryTest, ARevokedDeviceIsOfflineForGoodAndIsToldSo) {
  Register("ada", "phone");
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK_AND_ASSIGN(const v1::Device revoked, registry_->Revoke("ada", "phone"));
  EXPECT_EQ(revoked.revoked_ms(), 1'700'000'001'000);
  EXPECT_FALSE(revoked.online());
  clock_.Advance(absl::Seconds(1));
  ASSERT_OK_AND_ASSIGN(const auto again, registry_->Register(DeviceOf("ada", "phone")));
  EXPECT_EQ(again.device().revoked_ms(), 1'700'000'001'000);
  EXPECT_EQ(again.session_number(), 0);
  EXPECT_FALSE(again.device().online());
  ASSERT_OK(Beat("ada", "phone"));
  EXPECT_FALSE(Online("ada", "phone"));
  EXPECT_THAT(registry_->Revoke("ada", "tablet"), HasReason(Reason::kNotFound));
  EXPECT_THAT(registry_->Revoke("eve", "phone"), HasReason(Reason::kNotFound));
}

TEST_F(RegistryTest, ReceiptsAreListedWithTheDeviceAndForgetItsPositions) {
  Register("ada", "phone");
  Register("ada", "tablet");
  v1::AckCursorsRequest acks;
  AddAck(acks, "phone", 1, 5);
  AddAck(acks, "tablet", 1, 5);
  ASSERT_OK(registry_->AckCursors(acks));
  v1::RecordPurgesRequest request;
  for (const char* space : {"team", "team", ""}) {
    v1::PurgeItem& item = *request.add_items();
    item.set_user_id("ada");
    item.set_device_id("phone");
    item.set_space(space);
  }
  ASSERT_OK(registry_->RecordPurges(request));
  v1::ListDevicesRequest list;
  list.set_user_id("ada");
  ASSERT_OK_AND_ASSIGN(const auto devices, registry_->List(list));
  ASSERT_EQ(devices.devices_size(), 2);
  EXPECT_EQ(devices.devices(0).purges_size(), 2);
  EXPECT_EQ(devices.devices(0).purges(1).space(), "team");
  EXPECT_EQ(devices.devices(0).purges(1).purged_ms(), 1'700'000'000'000);
  EXPECT_EQ(devices.devices(1).purges_size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto gone, registry_->GetCursors("ada", "phone"));
  EXPECT_EQ(gone.cursors_size(), 0);
  ASSERT_OK_AND_ASSIGN(const auto kept, registry_->GetCursors("ada", "tablet"));
  EXPECT_EQ(kept.cursors_size(), 1);
  request.mutable_items(0)->set_space("not a space");
  EXPECT_THAT(registry_->RecordPurges(request), HasReason(Reason::kInvalidArgument));
}

}  // namespace
}  // namespace bdcsync::device_sync
