// Batches of registrations: what every DeviceStorage promises of them.
#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"
#include "services/device-sync/conformance/device_storage_conformance.h"

namespace bdcsync::device_sync {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kMany = 1000;

DevicePut PutOf(const std::string& user, const std::string& id, int64_t times = 1) {
  DevicePut put;
  put.device.set_user_id(user);
  put.device.set_device_id(id);
  put.device.set_client_name(absl::StrCat(user, "'s ", id));
  put.device.mutable_state()->set_battery_percent(50);
  put.state_given = true;
  put.times = times;
  return put;
}

v1::DeviceName NameOf(const std::string& user, const std::string& id) {
  v1::DeviceName name;
  name.set_user_id(user);
  name.set_device_id(id);
  return name;
}

v1::CursorAck CursorOf(const std::string& user, const std::string& id, const std::string& space) {
  v1::CursorAck cursor;
  cursor.set_user_id(user);
  cursor.set_device_id(id);
  cursor.set_space(space);
  cursor.mutable_position()->set_epoch(1);
  cursor.mutable_position()->set_seq(1);
  return cursor;
}

}  // namespace

TEST_P(DeviceStorageConformance, ABatchIsStoredAndAnsweredInItsOrder) {
  ASSERT_OK_AND_ASSIGN(const auto empty, storage().Put({}, kNow, kMany));
  EXPECT_THAT(empty, IsEmpty());
  ASSERT_OK(storage().Put({PutOf("ada", "old"), PutOf("eve", "old")}, kNow, kMany));
  DevicePut stateless = PutOf("eve", "old");
  stateless.state_given = false;
  stateless.device.mutable_state()->set_battery_percent(-1);
  ASSERT_OK_AND_ASSIGN(
      const auto records,
      storage().Put({PutOf("ada", "new"), PutOf("ada", "old", 3), stateless}, kNow + 1, kMany));
  ASSERT_EQ(records.size(), 3u);
  for (const auto& record : records) ASSERT_OK(record);
  EXPECT_EQ(records[0]->device.device_id(), "new");
  EXPECT_EQ(records[0]->registrations, 1);
  EXPECT_EQ(records[1]->device.device_id(), "old");
  EXPECT_EQ(records[1]->device.registered_ms(), kNow);
  EXPECT_EQ(records[1]->device.last_seen_ms(), kNow + 1);
  EXPECT_EQ(records[1]->registrations, 4);
  EXPECT_EQ(records[2]->device.user_id(), "eve");
  EXPECT_EQ(records[2]->device.state().battery_percent(), 50);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", "old"));
  EXPECT_EQ(got->device.SerializeAsString(), records[1]->device.SerializeAsString());
  EXPECT_EQ(got->registrations, 4);
}

TEST_P(DeviceStorageConformance, InABatchOnlyWhatIsBeyondAUsersQuotaIsRefused) {
  ASSERT_OK(storage().Put({PutOf("ada", "m")}, kNow, 2));
  ASSERT_OK_AND_ASSIGN(const auto records,
                       storage().Put({PutOf("ada", "a"), PutOf("ada", "b"), PutOf("ada", "m"),
                                      PutOf("bob", "a"), PutOf("bob", "b"), PutOf("bob", "c")},
                                     kNow, 2));
  ASSERT_EQ(records.size(), 6u);
  EXPECT_OK(records[0]);
  EXPECT_THAT(records[1], HasReason(Reason::kQuotaExceeded));
  EXPECT_OK(records[2]);
  EXPECT_OK(records[3]);
  EXPECT_OK(records[4]);
  EXPECT_THAT(records[5], HasReason(Reason::kQuotaExceeded));
  ASSERT_OK_AND_ASSIGN(const auto refused, storage().Get("ada", "b"));
  EXPECT_FALSE(refused.has_value());
}

TEST_P(DeviceStorageConformance, InABatchARevokedDeviceIsAnsweredAsItIs) {
  ASSERT_OK(storage().Put({PutOf("ada", "a"), PutOf("ada", "b")}, kNow, kMany));
  ASSERT_OK_AND_ASSIGN(const auto revoked, storage().Revoke("ada", "a", kNow + 1));
  ASSERT_OK_AND_ASSIGN(
      const auto records,
      storage().Put({PutOf("ada", "a"), PutOf("ada", "b"), PutOf("ada", "c")}, kNow + 2, kMany));
  ASSERT_EQ(records.size(), 3u);
  ASSERT_OK(records[0]);
  EXPECT_EQ(records[0]->device.SerializeAsString(), revoked->device.SerializeAsString());
  EXPECT_EQ(records[0]->registrations, 1);
  ASSERT_OK(records[1]);
  EXPECT_EQ(records[1]->registrations, 2);
  EXPECT_OK(records[2]);
}

TEST_P(DeviceStorageConformance, SpacesAreToldPerDeviceInTheOrderAskedFor) {
  ASSERT_OK(storage().Put({PutOf("ada", "a"), PutOf("ada", "b"), PutOf("eve", "a")}, kNow, kMany));
  for (const char* space : {"one", "three", "two"}) {
    ASSERT_OK(storage().PutCursors({CursorOf("ada", "a", space)}));
  }
  ASSERT_OK(storage().PutCursors({CursorOf("eve", "a", "four")}));
  ASSERT_OK_AND_ASSIGN(
      const auto spaces,
      storage().GetSpaces(
          {NameOf("eve", "a"), NameOf("ada", "b"), NameOf("ada", "a"), NameOf("nobody", "a")}, 2));
  EXPECT_THAT(spaces,
              ElementsAre(ElementsAre("four"), IsEmpty(), ElementsAre("one", "three"), IsEmpty()));
  ASSERT_OK_AND_ASSIGN(const auto none, storage().GetSpaces({}, 2));
  EXPECT_THAT(none, IsEmpty());
}

TEST_P(DeviceStorageConformance, DevicesAddedAtOnceStayWithinTheQuota) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  constexpr int64_t kDevicesMax = 5;
  for (int round = 0; round < kRounds; ++round) {
    const std::string user = absl::StrCat("user ", round);
    std::atomic<int> stored{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        // "both" is of every batch: it is one device, whoever adds it first.
        const auto records = storage().Put({PutOf(user, "both"), PutOf(user, absl::StrCat("c", t)),
                                            PutOf(user, absl::StrCat("d", t))},
                                           kNow, kDevicesMax);
        ASSERT_OK(records.status());
        EXPECT_OK(records->front());
        for (const auto& record : *records) stored += record.ok() ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_OK_AND_ASSIGN(const auto list, storage().List(user, std::nullopt, 100));
    EXPECT_EQ(list.size(), static_cast<size_t>(kDevicesMax));
    EXPECT_EQ(stored, kDevicesMax + kThreads - 1);
  }
}

TEST_P(DeviceStorageConformance, ConcurrentBatchesThatOverlapCountEachRegistration) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 15;
  constexpr int kDevices = 20;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<DevicePut> puts;
        for (int i = 0; i < kDevices; ++i) puts.push_back(PutOf("ada", absl::StrCat("d", 10 + i)));
        EXPECT_OK(storage().Put(puts, kNow, kMany));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kDevices; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", absl::StrCat("d", 10 + i)));
    EXPECT_EQ(got->registrations, kThreads * kRounds);
  }
}

}  // namespace bdcsync::device_sync
