#include "services/device-sync/conformance/device_storage_conformance.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::device_sync {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kMany = 1000;

v1::Device DeviceOf(const std::string& user, const std::string& id) {
  v1::Device device;
  device.set_user_id(user);
  device.set_device_id(id);
  device.set_client_name("notes");
  device.set_client_version("1.0");
  device.set_platform("linux");
  device.mutable_state()->set_network(v1::NETWORK_WIFI);
  device.mutable_state()->set_battery_percent(80);
  device.mutable_state()->set_charging(true);
  device.mutable_state()->set_budget_bytes_per_s(int64_t{1} << 40);
  return device;
}

SignOfLife Sign(const std::string& user, const std::string& id, bool signed_off = false) {
  SignOfLife sign;
  sign.user_id = user;
  sign.device_id = id;
  sign.signed_off = signed_off;
  return sign;
}

v1::CursorAck Cursor(const std::string& user, const std::string& id, const std::string& space,
                     uint64_t epoch, int64_t seq) {
  v1::CursorAck cursor;
  cursor.set_user_id(user);
  cursor.set_device_id(id);
  cursor.set_space(space);
  cursor.mutable_position()->set_epoch(epoch);
  cursor.mutable_position()->set_seq(seq);
  return cursor;
}

v1::PurgeItem Purge(const std::string& user, const std::string& id, const std::string& space) {
  v1::PurgeItem purge;
  purge.set_user_id(user);
  purge.set_device_id(id);
  purge.set_space(space);
  return purge;
}

std::vector<std::string> Ids(const std::vector<DeviceRecord>& records) {
  std::vector<std::string> ids;
  ids.reserve(records.size());
  for (const DeviceRecord& record : records) ids.push_back(record.device.device_id());
  return ids;
}

// "space:epoch:seq" of each.
std::vector<std::string> Places(const std::vector<v1::CursorAck>& cursors) {
  std::vector<std::string> places;
  places.reserve(cursors.size());
  for (const v1::CursorAck& cursor : cursors) {
    places.push_back(
        absl::StrCat(cursor.space(), ":", cursor.position().epoch(), ":", cursor.position().seq()));
  }
  return places;
}

}  // namespace

void DeviceStorageConformance::SetUp() {
  home_ = GetParam().make();
  if (home_ == nullptr) return;  // `make` has skipped or failed the test.
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

std::vector<std::string> DeviceStorageConformance::Receipts(
    const std::string& user, const std::vector<std::string>& device_ids) {
  const auto purges = storage().GetPurges(user, device_ids);
  EXPECT_OK(purges);
  std::vector<std::string> receipts;
  for (const StoredPurge& purge : purges.value_or(std::vector<StoredPurge>())) {
    receipts.push_back(
        absl::StrCat(purge.device_id, ":", purge.receipt.space(), ":", purge.receipt.purged_ms()));
  }
  return receipts;
}

absl::StatusOr<DeviceRecord> DeviceStorageConformance::Put(const v1::Device& device,
                                                           bool state_given, int64_t now_ms,
                                                           int64_t devices_max) {
  auto records =
      storage().Put({{.device = device, .state_given = state_given}}, now_ms, devices_max);
  if (!records.ok()) return records.status();
  if (records->size() != 1) return absl::InternalError("not one answer");
  return std::move(records->front());
}

void DeviceStorageConformance::Reopen() {
  if (!home_->durable()) return;
  storage_.reset();
  storage_ = home_->Open();
  ASSERT_NE(storage_, nullptr);
}

TEST_P(DeviceStorageConformance, ADeviceIsReadAsItWasPut) {
  ASSERT_OK(storage().Ping());
  const v1::Device device = DeviceOf("ada", "phone");
  ASSERT_OK_AND_ASSIGN(const DeviceRecord put, Put(device, true, kNow, kMany));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", "phone"));
  ASSERT_TRUE(got.has_value());
  v1::Device expected = device;
  expected.set_registered_ms(kNow);
  expected.set_last_seen_ms(kNow);
  EXPECT_EQ(put.device.SerializeAsString(), expected.SerializeAsString());
  EXPECT_EQ(got->device.SerializeAsString(), expected.SerializeAsString());
  EXPECT_FALSE(got->signed_off);
}

TEST_P(DeviceStorageConformance, PuttingAgainReplacesTheDescriptionAndKeepsTheFirstTime) {
  ASSERT_OK(Put(DeviceOf("ada", "phone"), true, kNow, kMany));
  v1::Device changed = DeviceOf("ada", "phone");
  changed.set_client_version("2.0");
  changed.mutable_state()->set_network(v1::NETWORK_METERED);
  changed.mutable_state()->set_battery_percent(-1);
  ASSERT_OK(Put(changed, true, kNow + 5, kMany));
  ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", "phone"));
  EXPECT_EQ(got->device.client_version(), "2.0");
  EXPECT_EQ(got->device.state().network(), v1::NETWORK_METERED);
  EXPECT_EQ(got->device.state().battery_percent(), -1);
  EXPECT_EQ(got->device.registered_ms(), kNow);
  EXPECT_EQ(got->device.last_seen_ms(), kNow + 5);
}

TEST_P(DeviceStorageConformance, AStateThatWasNotGivenLeavesTheStoredOne) {
  ASSERT_OK(Put(DeviceOf("ada", "phone"), true, kNow, kMany));
  v1::Device again = DeviceOf("ada", "phone");
  again.mutable_state()->Clear();
  ASSERT_OK(Put(again, false, kNow, kMany));
  ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", "phone"));
  EXPECT_EQ(got->device.state().battery_percent(), 80);
  EXPECT_EQ(got->device.state().budget_bytes_per_s(), int64_t{1} << 40);
}

TEST_P(DeviceStorageConformance, DevicesOfOneIdOfTwoUsersLiveSideBySide) {
  v1::Device eves = DeviceOf("eve", "phone");
  eves.set_client_name("chess");
  ASSERT_OK(Put(DeviceOf("ada", "phone"), true, kNow, kMany));
  ASSERT_OK(Put(eves, true, kNow + 1, kMany));
  ASSERT_OK(storage().PutCursors(
      {Cursor("ada", "phone", "team", 1, 5), Cursor("eve", "phone", "team", 1, 9)}));
  ASSERT_OK_AND_ASSIGN(const Noted noted,
                       storage().Note({Sign("eve", "phone", /*signed_off=*/true)}, kNow + 7));
  EXPECT_EQ(noted.count, 1);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto ada, storage().Get("ada", "phone"));
  EXPECT_EQ(ada->device.client_name(), "notes");
  EXPECT_EQ(ada->device.last_seen_ms(), kNow);
  EXPECT_FALSE(ada->signed_off);
  ASSERT_OK_AND_ASSIGN(const auto eve, storage().Get("eve", "phone"));
  EXPECT_EQ(eve->device.client_name(), "chess");
  EXPECT_TRUE(eve->signed_off);
  ASSERT_OK_AND_ASSIGN(const auto eves_list, storage().List("eve", std::nullopt, 10));
  EXPECT_THAT(Ids(eves_list), ElementsAre("phone"));

  ASSERT_OK(storage().Remove("eve", "phone"));
  ASSERT_OK_AND_ASSIGN(const auto gone, storage().Get("eve", "phone"));
  EXPECT_FALSE(gone.has_value());
  ASSERT_OK_AND_ASSIGN(const auto gone_cursors, storage().GetCursors("eve", "phone"));
  EXPECT_THAT(gone_cursors, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const auto kept, storage().Get("ada", "phone"));
  EXPECT_TRUE(kept.has_value());
  ASSERT_OK_AND_ASSIGN(const auto kept_cursors, storage().GetCursors("ada", "phone"));
  EXPECT_THAT(Places(kept_cursors), ElementsAre("team:1:5"));
}

TEST_P(DeviceStorageConformance, ARemovedDeviceIsGone) {
  ASSERT_OK(Put(DeviceOf("ada", "phone"), true, kNow, kMany));
  ASSERT_OK(storage().PutCursors({Cursor("ada", "phone", "team", 1, 5)}));
  ASSERT_OK(storage().Remove("ada", "phone"));
  ASSERT_OK(storage().Remove("ada", "phone"));
  ASSERT_OK(storage().Remove("ada", "never was"));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto got, storage().Get("ada", "phone"));
  EXPECT_FALSE(got.has_value());
  ASSERT_OK_AND_ASSIGN(const auto list, storage().List("ada", std::nullopt, 10));
  EXPECT_THAT(list, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const auto cursors, storage().GetCursors("ada", "phone"));
  EXPECT_THAT(cursors, IsEmpty());
}

TEST_P(DeviceStorageConformance, ARemovedDeviceThatReturnsStartsAnew) {
  ASSERT_OK(Put(DeviceOf("ada", "phone"), true, kNow, kMany));
  ASSERT_OK(storage().PutCursors({Cursor("ada", "phone", "team", 1, 5)}));
  ASSERT_OK(storage().Remove("ada", "phone"));
  v1::Device again = DeviceOf("ada", "phone");
  again.mutable_state()->set_battery_percent(-1);
  ASSERT_OK_AND_ASSIGN(const DeviceRecord record, Put(again, false, kNow + 9, kMany));
  EXPECT_EQ(record.device.registered_ms(), kNow + 9);
  EXPECT_EQ(record.device.state().battery_percent(), -1);
  ASSERT_OK_AND_ASSIGN(const auto cursors, storage().GetCursors("ada", "phone"));
  EXPECT_THAT(cursors, IsEmpty());
}

TEST_P(DeviceStorageConformance, AUserHasAtMostSoManyDevices) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, 2));
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, 2));
  EXPECT_THAT(Put(DeviceOf("ada", "c"), true, kNow, 2), HasReason(Reason::kQuotaExceeded));
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, 2));  // One that is there already.
  ASSERT_OK(Put(DeviceOf("bob", "d"), true, kNow, 2));
  ASSERT_OK(storage().Remove("ada", "a"));
  ASSERT_OK(Put(DeviceOf("ada", "c"), true, kNow, 2));
  EXPECT_THAT(Put(DeviceOf("ada", "a"), true, kNow, 2), HasReason(Reason::kQuotaExceeded));
}

TEST_P(DeviceStorageConformance, AListIsLatestSeenFirstAndGoesOnAfterAPosition) {
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "old"), true, kNow - 1, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "new"), true, kNow + 1, kMany));
  ASSERT_OK(Put(DeviceOf("bob", "c"), true, kNow, kMany));
  ASSERT_OK_AND_ASSIGN(const auto all, storage().List("ada", std::nullopt, 10));
  EXPECT_THAT(Ids(all), ElementsAre("new", "a", "b", "old"));
  ASSERT_OK_AND_ASSIGN(const auto two, storage().List("ada", std::nullopt, 2));
  EXPECT_THAT(Ids(two), ElementsAre("new", "a"));
  ASSERT_OK_AND_ASSIGN(const auto rest, storage().List("ada", ListPosition{kNow, "a"}, 10));
  EXPECT_THAT(Ids(rest), ElementsAre("b", "old"));
}

TEST_P(DeviceStorageConformance, ASignOfLifeMovesTheTimeForwardAndChangesOnlyWhatItSays) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, kMany));
  SignOfLife with_state = Sign("ada", "b", /*signed_off=*/true);
  with_state.state.emplace();
  with_state.state->set_network(v1::NETWORK_CELLULAR);
  with_state.state->set_battery_percent(5);
  ASSERT_OK_AND_ASSIGN(const Noted noted,
                       storage().Note({Sign("ada", "a"), with_state}, kNow + 10));
  EXPECT_EQ(noted.count, 2);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto a, storage().Get("ada", "a"));
  EXPECT_EQ(a->device.last_seen_ms(), kNow + 10);
  EXPECT_EQ(a->device.state().battery_percent(), 80);
  EXPECT_FALSE(a->signed_off);
  ASSERT_OK_AND_ASSIGN(const auto b, storage().Get("ada", "b"));
  EXPECT_EQ(b->device.state().network(), v1::NETWORK_CELLULAR);
  EXPECT_EQ(b->device.state().battery_percent(), 5);
  EXPECT_FALSE(b->device.state().charging());
  EXPECT_TRUE(b->signed_off);
  ASSERT_OK(storage().Note({Sign("ada", "b")}, kNow - 100));
  ASSERT_OK_AND_ASSIGN(const auto later, storage().Get("ada", "b"));
  EXPECT_EQ(later->device.last_seen_ms(), kNow + 10);
  EXPECT_FALSE(later->signed_off);
}

TEST_P(DeviceStorageConformance, SignsOfDevicesThatTheUserDoesNotHaveAreSkipped) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "gone"), true, kNow, kMany));
  ASSERT_OK(storage().Remove("ada", "gone"));
  ASSERT_OK_AND_ASSIGN(
      const Noted noted,
      storage().Note({Sign("eve", "a"), Sign("ada", "gone"), Sign("ada", "never")}, kNow + 1));
  EXPECT_EQ(noted.count, 0);
  ASSERT_OK_AND_ASSIGN(const auto a, storage().Get("ada", "a"));
  EXPECT_EQ(a->device.last_seen_ms(), kNow);
  ASSERT_OK_AND_ASSIGN(const auto gone, storage().Get("ada", "gone"));
  EXPECT_FALSE(gone.has_value());
}

TEST_P(DeviceStorageConformance, ACursorOnlyMovesForwardWithinItsEpoch) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  constexpr uint64_t kEpoch = 0xffff'ffff'ffff'fff0u;  // Its highest bit must survive.
  ASSERT_OK(storage().PutCursors(
      {Cursor("ada", "a", "team", kEpoch, 5), Cursor("ada", "a", "user:ada", kEpoch, 0)}));
  ASSERT_OK(storage().PutCursors({Cursor("ada", "a", "team", kEpoch, 4)}));
  ASSERT_OK_AND_ASSIGN(const auto kept, storage().GetCursors("ada", "a"));
  EXPECT_THAT(Places(kept), ElementsAre(absl::StrCat("team:", kEpoch, ":5"),
                                        absl::StrCat("user:ada:", kEpoch, ":0")));
  ASSERT_OK(storage().PutCursors({Cursor("ada", "a", "team", kEpoch, 6)}));
  Reopen();
  ASSERT_OK(storage().PutCursors({Cursor("ada", "a", "user:ada", 7, 0)}));
  ASSERT_OK_AND_ASSIGN(const auto moved, storage().GetCursors("ada", "a"));
  EXPECT_THAT(Places(moved), ElementsAre(absl::StrCat("team:", kEpoch, ":6"), "user:ada:7:0"));
}

TEST_P(DeviceStorageConformance, CursorsOfDevicesThatTheUserDoesNotHaveAreSkipped) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(storage().PutCursors({Cursor("eve", "a", "team", 1, 9), Cursor("ada", "x", "s", 1, 9),
                                  Cursor("ada", "a", "team", 1, 1)}));
  ASSERT_OK_AND_ASSIGN(const auto own, storage().GetCursors("ada", "a"));
  EXPECT_THAT(Places(own), ElementsAre("team:1:1"));
  ASSERT_OK_AND_ASSIGN(const auto foreign, storage().GetCursors("eve", "a"));
  EXPECT_THAT(foreign, IsEmpty());
}

TEST_P(DeviceStorageConformance, RegistrationsAreCounted) {
  ASSERT_OK_AND_ASSIGN(const auto first, Put(DeviceOf("ada", "a"), true, kNow, kMany));
  EXPECT_EQ(first.registrations, 1);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto second, Put(DeviceOf("ada", "a"), true, kNow, kMany));
  EXPECT_EQ(second.registrations, 2);
}

TEST_P(DeviceStorageConformance, ARevokedDeviceStaysAsItWasRevoked) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, kMany));
  ASSERT_OK_AND_ASSIGN(const auto revoked, storage().Revoke("ada", "a", kNow + 1));
  ASSERT_TRUE(revoked.has_value());
  EXPECT_EQ(revoked->device.revoked_ms(), kNow + 1);
  EXPECT_TRUE(revoked->signed_off);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto again, storage().Revoke("ada", "a", kNow + 2));
  EXPECT_EQ(again->device.revoked_ms(), kNow + 1);
  v1::Device changed = DeviceOf("ada", "a");
  changed.set_client_version("2.0");
  ASSERT_OK_AND_ASSIGN(const auto put, Put(changed, true, kNow + 3, kMany));
  EXPECT_EQ(put.device.SerializeAsString(), again->device.SerializeAsString());
  EXPECT_TRUE(put.signed_off);
  EXPECT_EQ(put.registrations, 1);
  ASSERT_OK_AND_ASSIGN(const Noted noted,
                       storage().Note({Sign("ada", "a"), Sign("ada", "b")}, kNow + 4));
  EXPECT_EQ(noted.count, 2);
  ASSERT_EQ(noted.revoked.size(), 1u);
  EXPECT_EQ(noted.revoked[0].user_id(), "ada");
  EXPECT_EQ(noted.revoked[0].device_id(), "a");
  ASSERT_OK_AND_ASSIGN(const auto none, storage().Revoke("eve", "a", kNow));
  EXPECT_FALSE(none.has_value());
}

TEST_P(DeviceStorageConformance, ADeviceThatWasRemovedMayComeBack) {
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(storage().PutPurges({Purge("ada", "a", "")}, kNow, kMany));
  ASSERT_OK(storage().Revoke("ada", "a", kNow));
  ASSERT_OK(storage().Remove("ada", "a"));
  ASSERT_OK_AND_ASSIGN(const auto back, Put(DeviceOf("ada", "a"), true, kNow, kMany));
  EXPECT_EQ(back.device.revoked_ms(), 0);
  EXPECT_THAT(Receipts("ada", {"a"}), IsEmpty());
}

TEST_P(DeviceStorageConformance, AReceiptForgetsThePositionsOfWhatWasPurged) {
  for (const char* id : {"a", "b"}) {
    ASSERT_OK(Put(DeviceOf("ada", id), true, kNow, kMany));
    ASSERT_OK(
        storage().PutCursors({Cursor("ada", id, "one", 1, 1), Cursor("ada", id, "two", 1, 1)}));
  }
  ASSERT_OK(storage().PutPurges({Purge("ada", "a", "one"), Purge("ada", "gone", "one")}, kNow + 1,
                                kMany));
  ASSERT_OK(
      storage().PutPurges({Purge("ada", "a", "one"), Purge("ada", "b", "")}, kNow + 2, kMany));
  Reopen();
  ASSERT_OK_AND_ASSIGN(const auto a, storage().GetCursors("ada", "a"));
  EXPECT_THAT(Places(a), ElementsAre("two:1:1"));
  ASSERT_OK_AND_ASSIGN(const auto b, storage().GetCursors("ada", "b"));
  EXPECT_THAT(b, IsEmpty());
  EXPECT_THAT(Receipts("ada", {"a", "b", "gone"}),
              ElementsAre(absl::StrCat("a:one:", kNow + 2), absl::StrCat("b::", kNow + 2)));
  EXPECT_THAT(Receipts("eve", {"a"}), IsEmpty());
}

TEST_P(DeviceStorageConformance, ADeviceKeepsOnlySoManyReceipts) {
  constexpr int64_t kReceiptsMax = 2;
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  for (const char* space : {"one", "two", "three"}) {
    ASSERT_OK(storage().PutPurges({Purge("ada", "a", space)}, kNow, kReceiptsMax));
  }
  ASSERT_OK(storage().PutPurges({Purge("ada", "a", "two")}, kNow + 1, kReceiptsMax));
  EXPECT_THAT(Receipts("ada", {"a"}),
              ElementsAre(absl::StrCat("a:one:", kNow), absl::StrCat("a:two:", kNow + 1)));
}

TEST_P(DeviceStorageConformance, ABatchOfReceiptsKeepsOnlySoManyOfThem) {
  constexpr int64_t kReceiptsMax = 3;
  ASSERT_OK(Put(DeviceOf("ada", "a"), true, kNow, kMany));
  ASSERT_OK(Put(DeviceOf("ada", "b"), true, kNow, kMany));
  ASSERT_OK(storage().PutPurges({Purge("ada", "a", "three")}, kNow, kReceiptsMax));
  ASSERT_OK(storage().PutPurges(
      {Purge("ada", "a", "five"), Purge("ada", "a", "four"), Purge("ada", "a", "one"),
       Purge("ada", "a", "three"), Purge("ada", "b", "one")},
      kNow + 1, kReceiptsMax));
  EXPECT_THAT(Receipts("ada", {"a", "b"}),
              ElementsAre(absl::StrCat("a:five:", kNow + 1), absl::StrCat("a:four:", kNow + 1),
                          absl::StrCat("a:three:", kNow + 1), absl::StrCat("b:one:", kNow + 1)));
}

TEST_P(DeviceStorageConformance, BatchesOfReceiptsAtOnceKeepOnlySoMany) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 10;
  constexpr int64_t kReceiptsMax = 5;
  for (int round = 0; round < kRounds; ++round) {
    const std::string id = absl::StrCat("d", round);
    ASSERT_OK(Put(DeviceOf("ada", id), true, kNow, kMany));
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        EXPECT_OK(storage().PutPurges(
            {Purge("ada", id, absl::StrCat("a", t)), Purge("ada", id, absl::StrCat("b", t))}, kNow,
            kReceiptsMax));
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(Receipts("ada", {id}).size(), static_cast<size_t>(kReceiptsMax));
  }
}

TEST_P(DeviceStorageConformance, NamesMayHoldAnyTextAndAreNeverTakenForSql) {
  const std::string user = "o'brien; DROP TABLE devices; -- Ünïcode 🙂";
  const std::string id = "%_\\\"'{},()";
  ASSERT_OK(Put(DeviceOf(user, id), true, kNow, kMany));
  ASSERT_OK(storage().PutCursors({Cursor(user, id, "a.b:c@d-e_f", 1, 1)}));
  ASSERT_OK_AND_ASSIGN(const Noted noted, storage().Note({Sign(user, id)}, kNow));
  EXPECT_EQ(noted.count, 1);
  ASSERT_OK_AND_ASSIGN(const auto list, storage().List(user, std::nullopt, 10));
  EXPECT_THAT(Ids(list), ElementsAre(id));
}

TEST_P(DeviceStorageConformance, ConcurrentBatchesInAnyMixEndWithoutDeadlock) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20;
  constexpr int kDevices = 30;
  std::vector<SignOfLife> signs;
  for (int i = 0; i < kDevices; ++i) {
    const std::string id = absl::StrCat("d", 100 + i);
    ASSERT_OK(Put(DeviceOf("ada", id), true, kNow, kMany));
    signs.push_back(Sign("ada", id));
  }
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < kRounds; ++round) {
        std::vector<v1::CursorAck> cursors;
        for (int i = 0; i < kDevices; ++i) {
          cursors.push_back(
              Cursor("ada", absl::StrCat("d", 100 + i), "team", 1, round * kThreads + t));
        }
        EXPECT_OK(storage().Note(signs, kNow + round));
        EXPECT_OK(storage().PutCursors(cursors));
        EXPECT_OK(Put(DeviceOf("ada", absl::StrCat("d", 100 + round)), true, kNow, kMany));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kDevices; ++i) {
    ASSERT_OK_AND_ASSIGN(const auto cursors,
                         storage().GetCursors("ada", absl::StrCat("d", 100 + i)));
    EXPECT_THAT(Places(cursors), ElementsAre(absl::StrCat("team:1:", kRounds * kThreads - 1)));
  }
}

TEST_P(DeviceStorageConformance, PuttingOneDeviceTwiceAtOnceMakesOne) {
  for (int round = 0; round < 20; ++round) {
    const std::string id = absl::StrCat("device ", round);
    const auto put = [&] { EXPECT_OK(Put(DeviceOf("ada", id), true, kNow, kMany)); };
    std::thread one(put);
    std::thread two(put);
    one.join();
    two.join();
  }
  ASSERT_OK_AND_ASSIGN(const auto list, storage().List("ada", std::nullopt, 100));
  EXPECT_EQ(list.size(), 20u);
}

}  // namespace bdcsync::device_sync
