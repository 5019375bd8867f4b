#include "services/device-sync/storage/postgres_device_storage.h"

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/device-sync/storage/migrations.h"
#include "services/device-sync/storage/postgres_statements.h"

namespace bdcsync::device_sync {
namespace {

constexpr char kSchema[] = "device_sync";

std::string Text(const sql::PostgresResult& rows, int row, int column) {
  return std::string(rows.Text(row, column));
}

DeviceRecord ReadDevice(const sql::PostgresResult& rows, int row) {
  DeviceRecord record;
  v1::Device& device = record.device;
  device.set_user_id(Text(rows, row, 0));
  device.set_device_id(Text(rows, row, 1));
  device.set_client_name(Text(rows, row, 2));
  device.set_client_version(Text(rows, row, 3));
  device.set_platform(Text(rows, row, 4));
  device.mutable_state()->set_network(static_cast<v1::Network>(rows.Int64(row, 5)));
  device.mutable_state()->set_battery_percent(static_cast<int32_t>(rows.Int64(row, 6)));
  device.mutable_state()->set_charging(rows.Bool(row, 7));
  device.mutable_state()->set_budget_bytes_per_s(rows.Int64(row, 8));
  device.set_registered_ms(rows.Int64(row, 9));
  device.set_last_seen_ms(rows.Int64(row, 10));
  record.signed_off = rows.Bool(row, 11);
  device.set_revoked_ms(rows.Int64(row, 12));
  record.registrations = rows.Int64(row, 13);
  return record;
}

// A device's full name, as a key for the length of a call.
using Key = std::pair<absl::string_view, absl::string_view>;

Key KeyOf(const v1::Device& device) { return {device.user_id(), device.device_id()}; }

using Puts = std::vector<const DevicePut*>;

// Adds two arrays: users, devices.
void AddNames(const Puts& puts, sql::PostgresParams& params) {
  using Array = sql::PostgresArray;
  Array users(Array::kText), devices(Array::kText);
  for (const DevicePut* put : puts) {
    users.AddBytes(put->device.user_id());
    devices.AddBytes(put->device.device_id());
  }
  params.Add(std::move(users)).Add(std::move(devices));
}

sql::PostgresParams PutParams(const Puts& puts, int64_t now_ms) {
  using Array = sql::PostgresArray;
  Array names(Array::kText), versions(Array::kText), platforms(Array::kText);
  Array networks(Array::kInt32), batteries(Array::kInt32), charging(Array::kBool);
  Array budgets(Array::kInt64), given(Array::kBool), times(Array::kInt64);
  for (const DevicePut* put : puts) {
    const v1::Device& device = put->device;
    names.AddBytes(device.client_name());
    versions.AddBytes(device.client_version());
    platforms.AddBytes(device.platform());
    networks.AddInt32(device.state().network());
    batteries.AddInt32(device.state().battery_percent());
    charging.AddBool(device.state().charging());
    budgets.AddInt64(device.state().budget_bytes_per_s());
    given.AddBool(put->state_given);
    times.AddInt64(put->times);
  }
  sql::PostgresParams params;
  AddNames(puts, params);
  params.Add(std::move(names)).Add(std::move(versions)).Add(std::move(platforms));
  params.Add(std::move(networks)).Add(std::move(batteries)).Add(std::move(charging));
  params.Add(std::move(budgets)).Add(std::move(given)).Add(std::move(times)).AddInt64(now_ms);
  return params;
}

// Adds three arrays: users, devices, spaces.
void AddNames(absl::Span<const v1::PurgeItem> purges, sql::PostgresParams& params) {
  using Array = sql::PostgresArray;
  Array users(Array::kText), devices(Array::kText), spaces(Array::kText);
  for (const v1::PurgeItem& purge : purges) {
    users.AddBytes(purge.user_id());
    devices.AddBytes(purge.device_id());
    spaces.AddBytes(purge.space());
  }
  params.Add(std::move(users)).Add(std::move(devices)).Add(std::move(spaces));
}

class PostgresDeviceStorage final : public DeviceStorage {
 public:
  PostgresDeviceStorage(sql::PostgresOptions options, const Clock& clock)
      : pool_(std::move(options), clock) {}

  absl::Status Migrate() { return sql::ApplyMigrations(pool_, PostgresMigrations()); }

  absl::Status Ping() override {
    return pool_.Execute(postgres::kPing, sql::PostgresParams()).status();
  }

  absl::StatusOr<std::vector<absl::StatusOr<DeviceRecord>>> Put(absl::Span<const DevicePut> puts,
                                                                int64_t now_ms,
                                                                int64_t devices_max) override {
    absl::flat_hash_map<Key, DeviceRecord> stored;
    RETURN_IF_ERROR(pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
      Puts all;
      for (const DevicePut& put : puts) all.push_back(&put);
      ASSIGN_OR_RETURN(const Puts within, WithinQuota(session, std::move(all), devices_max));
      if (within.empty()) return absl::OkStatus();
      // Takes the locks of devices, in order of user and device, as the other batches do.
      ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                       session.Execute(postgres::kPut, PutParams(within, now_ms)));
      Collect(rows, within, stored);
      if (stored.size() == within.size()) return absl::OkStatus();
      sql::PostgresParams names;
      AddNames(within, names);
      ASSIGN_OR_RETURN(const sql::PostgresResult revoked,
                       session.Execute(postgres::kGetNamed, names));
      Collect(revoked, within, stored);
      return absl::OkStatus();
    }));
    std::vector<absl::StatusOr<DeviceRecord>> records;
    records.reserve(puts.size());
    for (const DevicePut& put : puts) {
      const auto found = stored.find(KeyOf(put.device));
      if (found != stored.end()) {
        records.emplace_back(std::move(found->second));
      } else {
        records.emplace_back(
            MakeError(Reason::kQuotaExceeded, "the user has too many devices: remove one first"));
      }
    }
    return records;
  }

  absl::StatusOr<std::optional<DeviceRecord>> Get(absl::string_view user_id,
                                                  absl::string_view device_id) override {
    sql::PostgresParams params;
    params.AddBytes(user_id).AddBytes(device_id);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kGet, params));
    if (rows.size() == 0) return std::optional<DeviceRecord>();
    return std::optional<DeviceRecord>(ReadDevice(rows, 0));
  }

  absl::StatusOr<std::vector<DeviceRecord>> List(absl::string_view user_id,
                                                 const std::optional<ListPosition>& after,
                                                 int limit) override {
    sql::PostgresParams params;
    params.AddBytes(user_id).AddInt64(limit);
    if (after) params.AddInt64(after->last_seen_ms).AddBytes(after->device_id);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     pool_.Execute(after ? postgres::kNextPage : postgres::kFirstPage, params));
    std::vector<DeviceRecord> records;
    records.reserve(static_cast<std::size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row) records.push_back(ReadDevice(rows, row));
    return records;
  }

  absl::Status Remove(absl::string_view user_id, absl::string_view device_id) override {
    return pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
      sql::PostgresParams params;
      params.AddBytes(user_id).AddBytes(device_id);
      ASSIGN_OR_RETURN(const sql::PostgresResult removed,
                       session.Execute(postgres::kRemove, params));
      if (removed.size() == 0) return absl::OkStatus();
      RETURN_IF_ERROR(session.Execute(postgres::kRemovePurges, params).status());
      return session.Execute(postgres::kRemoveCursors, params).status();
    });
  }

  absl::StatusOr<std::optional<DeviceRecord>> Revoke(absl::string_view user_id,
                                                     absl::string_view device_id,
                                                     int64_t now_ms) override {
    sql::PostgresParams params;
    params.AddBytes(user_id).AddBytes(device_id).AddInt64(now_ms);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kRevoke, params));
    if (rows.size() == 0) return std::optional<DeviceRecord>();
    return std::optional<DeviceRecord>(ReadDevice(rows, 0));
  }

  absl::Status PutPurges(absl::Span<const v1::PurgeItem> purges, int64_t now_ms,
                         int64_t receipts_max) override {
    return pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
      sql::PostgresParams held;
      AddNames(purges, held);
      RETURN_IF_ERROR(session.Execute(postgres::kHoldForPurges, held).status());
      sql::PostgresParams params;
      AddNames(purges, params);
      params.AddInt64(now_ms).AddInt64(receipts_max);
      RETURN_IF_ERROR(session.Execute(postgres::kPutPurges, params).status());
      sql::PostgresParams names;
      AddNames(purges, names);
      return session.Execute(postgres::kForgetCursors, names).status();
    });
  }

  absl::StatusOr<std::vector<StoredPurge>> GetPurges(
      absl::string_view user_id, absl::Span<const std::string> device_ids) override {
    sql::PostgresArray ids(sql::PostgresArray::kText);
    for (const std::string& device_id : device_ids) ids.AddBytes(device_id);
    sql::PostgresParams params;
    params.AddBytes(user_id).Add(std::move(ids));
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kPurges, params));
    std::vector<StoredPurge> purges;
    for (int row = 0; row < rows.size(); ++row) {
      StoredPurge& purge = purges.emplace_back();
      purge.device_id = Text(rows, row, 0);
      purge.receipt.set_space(Text(rows, row, 1));
      purge.receipt.set_purged_ms(rows.Int64(row, 2));
    }
    return purges;
  }

  absl::StatusOr<Noted> Note(absl::Span<const SignOfLife> signs, int64_t now_ms) override {
    using Array = sql::PostgresArray;
    Array devices(Array::kText), users(Array::kText), off(Array::kBool), has_state(Array::kBool);
    Array networks(Array::kInt32), batteries(Array::kInt32), charging(Array::kBool);
    Array budgets(Array::kInt64);
    for (const SignOfLife& sign : signs) {
      const v1::DeviceState state = sign.state.value_or(v1::DeviceState());
      devices.AddBytes(sign.device_id);
      users.AddBytes(sign.user_id);
      off.AddBool(sign.signed_off);
      has_state.AddBool(sign.state.has_value());
      networks.AddInt32(state.network());
      batteries.AddInt32(state.battery_percent());
      charging.AddBool(state.charging());
      budgets.AddInt64(state.budget_bytes_per_s());
    }
    sql::PostgresParams params;
    params.Add(std::move(users)).Add(std::move(devices)).Add(std::move(off));
    params.Add(std::move(has_state)).Add(std::move(networks)).Add(std::move(batteries));
    params.Add(std::move(charging)).Add(std::move(budgets)).AddInt64(now_ms);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kNote, params));
    Noted noted;
    noted.count = rows.size();
    for (int row = 0; row < rows.size(); ++row) {
      if (rows.Int64(row, 2) == 0) continue;
      v1::DeviceName& revoked = noted.revoked.emplace_back();
      revoked.set_user_id(Text(rows, row, 0));
      revoked.set_device_id(Text(rows, row, 1));
    }
    return noted;
  }

  absl::Status PutCursors(absl::Span<const v1::CursorAck> cursors) override {
    using Array = sql::PostgresArray;
    Array devices(Array::kText), users(Array::kText), spaces(Array::kText);
    Array epochs(Array::kInt64), seqs(Array::kInt64);
    for (const v1::CursorAck& cursor : cursors) {
      devices.AddBytes(cursor.device_id());
      users.AddBytes(cursor.user_id());
      spaces.AddBytes(cursor.space());
      epochs.AddInt64(static_cast<int64_t>(cursor.position().epoch()));
      seqs.AddInt64(cursor.position().seq());
    }
    sql::PostgresParams params;
    params.Add(std::move(users)).Add(std::move(devices)).Add(std::move(spaces));
    params.Add(std::move(epochs)).Add(std::move(seqs));
    return pool_.Execute(postgres::kPutCursors, params).status();
  }

  absl::StatusOr<std::vector<std::vector<std::string>>> GetSpaces(
      absl::Span<const v1::DeviceName> devices, int spaces_max) override {
    using Array = sql::PostgresArray;
    Array users(Array::kText), ids(Array::kText);
    for (const v1::DeviceName& device : devices) {
      users.AddBytes(device.user_id());
      ids.AddBytes(device.device_id());
    }
    sql::PostgresParams params;
    params.Add(std::move(users)).Add(std::move(ids)).AddInt64(spaces_max);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kSpaces, params));
    std::vector<std::vector<std::string>> spaces(devices.size());
    for (int row = 0; row < rows.size(); ++row) {
      spaces[static_cast<std::size_t>(rows.Int64(row, 0) - 1)].push_back(Text(rows, row, 1));
    }
    return spaces;
  }

  absl::StatusOr<std::vector<v1::CursorAck>> GetCursors(absl::string_view user_id,
                                                        absl::string_view device_id) override {
    sql::PostgresParams params;
    params.AddBytes(user_id).AddBytes(device_id);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kCursors, params));
    std::vector<v1::CursorAck> cursors;
    for (int row = 0; row < rows.size(); ++row) {
      v1::CursorAck& cursor = cursors.emplace_back();
      cursor.set_user_id(std::string(user_id));
      cursor.set_device_id(std::string(device_id));
      cursor.set_space(Text(rows, row, 0));
      cursor.mutable_position()->set_epoch(static_cast<uint64_t>(rows.Int64(row, 1)));
      cursor.mutable_position()->set_seq(rows.Int64(row, 2));
    }
    return cursors;
  }

 private:
  // Which of `puts` are stored.
  static absl::StatusOr<absl::flat_hash_set<Key>> KnownOf(sql::PostgresSession& session,
                                                          const Puts& puts) {
    sql::PostgresParams names;
    AddNames(puts, names);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, session.Execute(postgres::kKnown, names));
    absl::flat_hash_set<Key> stored;
    for (int row = 0; row < rows.size(); ++row) {
      stored.emplace(rows.Text(row, 0), rows.Text(row, 1));
    }
    absl::flat_hash_set<Key> known;  // The rows are gone soon, `puts` stay.
    for (const DevicePut* put : puts) {
      if (stored.contains(KeyOf(put->device))) known.insert(KeyOf(put->device));
    }
    return known;
  }

  static sql::PostgresParams UsersOf(const Puts& puts, const absl::flat_hash_set<Key>& known) {
    sql::PostgresArray users(sql::PostgresArray::kText);
    for (const DevicePut* put : puts) {
      if (!known.contains(KeyOf(put->device))) users.AddBytes(put->device.user_id());
    }
    sql::PostgresParams params;
    params.Add(std::move(users));
    return params;
  }

  // Those of `puts` whose device is stored already or that its user may still add. Holds the users
  // of new devices, before any device is held.
  static absl::StatusOr<Puts> WithinQuota(sql::PostgresSession& session, Puts puts,
                                          int64_t devices_max) {
    ASSIGN_OR_RETURN(absl::flat_hash_set<Key> known, KnownOf(session, puts));
    if (known.size() == puts.size()) return puts;
    const sql::PostgresParams users = UsersOf(puts, known);
    RETURN_IF_ERROR(session.Execute(postgres::kHoldUsers, users).status());
    ASSIGN_OR_RETURN(known, KnownOf(session, puts));  // Whoever was before has added some.
    ASSIGN_OR_RETURN(const sql::PostgresResult counts, session.Execute(postgres::kCounts, users));
    absl::flat_hash_map<absl::string_view, int64_t> devices;
    for (int row = 0; row < counts.size(); ++row) {
      devices[counts.Text(row, 0)] = counts.Int64(row, 1);
    }
    Puts within;
    for (const DevicePut* put : puts) {
      if (known.contains(KeyOf(put->device)) || ++devices[put->device.user_id()] <= devices_max) {
        within.push_back(put);
      }
    }
    return within;
  }

  // Adds the devices of `rows` to `stored`, under the names in `puts`, which outlive it.
  static void Collect(const sql::PostgresResult& rows, const Puts& puts,
                      absl::flat_hash_map<Key, DeviceRecord>& stored) {
    absl::flat_hash_map<Key, DeviceRecord> read;
    for (int row = 0; row < rows.size(); ++row) {
      read.emplace(Key(rows.Text(row, 0), rows.Text(row, 1)), ReadDevice(rows, row));
    }
    for (const DevicePut* put : puts) {
      const auto found = read.find(KeyOf(put->device));
      if (found != read.end()) stored.emplace(KeyOf(put->device), std::move(found->second));
    }
  }

  sql::PostgresPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DeviceStorage>> OpenPostgresDeviceStorage(const std::string& url,
                                                                         int connections_max,
                                                                         const Clock& clock) {
  sql::PostgresOptions options;
  options.url = url;
  options.schema = kSchema;
  options.connections_max = static_cast<std::size_t>(connections_max);
  auto storage = std::make_unique<PostgresDeviceStorage>(std::move(options), clock);
  RETURN_IF_ERROR(storage->Migrate());
  return storage;
}

}  // namespace bdcsync::device_sync
