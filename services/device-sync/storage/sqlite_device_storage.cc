#include "services/device-sync/storage/sqlite_device_storage.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "libs/sql/sqlite_use.h"
#include "services/device-sync/storage/migrations.h"
#include "services/device-sync/storage/sqlite_statements.h"

namespace bdcsync::device_sync {
namespace {

std::string Text(const sql::SqliteStatement& row, int column) {
  return std::string(row.Text(column));
}

DeviceRecord ReadDevice(const sql::SqliteStatement& row) {
  DeviceRecord record;
  v1::Device& device = record.device;
  device.set_user_id(Text(row, 0));
  device.set_device_id(Text(row, 1));
  device.set_client_name(Text(row, 2));
  device.set_client_version(Text(row, 3));
  device.set_platform(Text(row, 4));
  device.mutable_state()->set_network(static_cast<v1::Network>(row.Int64(5)));
  device.mutable_state()->set_battery_percent(static_cast<int32_t>(row.Int64(6)));
  device.mutable_state()->set_charging(row.Int64(7) != 0);
  device.mutable_state()->set_budget_bytes_per_s(row.Int64(8));
  device.set_registered_ms(row.Int64(9));
  device.set_last_seen_ms(row.Int64(10));
  record.signed_off = row.Int64(11) != 0;
  device.set_revoked_ms(row.Int64(12));
  record.registrations = row.Int64(13);
  return record;
}

// Binds the four columns of a state from `first` on.
void BindState(sql::SqliteStatement& statement, int first, const v1::DeviceState& state) {
  statement.BindInt64(first, state.network());
  statement.BindInt64(first + 1, state.battery_percent());
  statement.BindInt64(first + 2, state.charging() ? 1 : 0);
  statement.BindInt64(first + 3, state.budget_bytes_per_s());
}

absl::Status TooManyDevices() {
  return MakeError(Reason::kQuotaExceeded, "the user has too many devices: remove one first");
}

class SqliteDeviceStorage final : public DeviceStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    ASSIGN_OR_RETURN(known_, database_->Prepare(sqlite::kKnown));
    ASSIGN_OR_RETURN(count_, database_->Prepare(sqlite::kCount));
    ASSIGN_OR_RETURN(put_, database_->Prepare(sqlite::kPut));
    ASSIGN_OR_RETURN(get_, database_->Prepare(sqlite::kGet));
    ASSIGN_OR_RETURN(first_page_, database_->Prepare(sqlite::kFirstPage));
    ASSIGN_OR_RETURN(next_page_, database_->Prepare(sqlite::kNextPage));
    ASSIGN_OR_RETURN(remove_, database_->Prepare(sqlite::kRemove));
    ASSIGN_OR_RETURN(remove_cursors_, database_->Prepare(sqlite::kRemoveCursors));
    ASSIGN_OR_RETURN(revoke_, database_->Prepare(sqlite::kRevoke));
    ASSIGN_OR_RETURN(put_purge_, database_->Prepare(sqlite::kPutPurge));
    ASSIGN_OR_RETURN(forget_cursors_, database_->Prepare(sqlite::kForgetCursors));
    ASSIGN_OR_RETURN(purges_, database_->Prepare(sqlite::kPurges));
    ASSIGN_OR_RETURN(remove_purges_, database_->Prepare(sqlite::kRemovePurges));
    ASSIGN_OR_RETURN(note_, database_->Prepare(sqlite::kNote));
    ASSIGN_OR_RETURN(put_cursor_, database_->Prepare(sqlite::kPutCursor));
    ASSIGN_OR_RETURN(cursors_, database_->Prepare(sqlite::kCursors));
    ASSIGN_OR_RETURN(spaces_, database_->Prepare(sqlite::kSpaces));
    return absl::OkStatus();
  }

  absl::Status Ping() override {
    absl::MutexLock lock(&mutex_);
    return database_->Run("SELECT 1");
  }

  absl::StatusOr<std::vector<absl::StatusOr<DeviceRecord>>> Put(absl::Span<const DevicePut> puts,
                                                                int64_t now_ms,
                                                                int64_t devices_max) override {
    absl::MutexLock lock(&mutex_);
    std::vector<absl::StatusOr<DeviceRecord>> stored;
    stored.reserve(puts.size());
    RETURN_IF_ERROR(
        database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          for (const DevicePut& put : puts) {
            ASSIGN_OR_RETURN(const bool room, HasRoomFor(put.device, devices_max));
            if (!room) {
              stored.emplace_back(TooManyDevices());
              continue;
            }
            RETURN_IF_ERROR(Write(put, now_ms));
            ASSIGN_OR_RETURN(std::optional<DeviceRecord> record,
                             Read(put.device.user_id(), put.device.device_id()));
            if (!record) return absl::InternalError("a device that was just stored is not there");
            stored.emplace_back(*std::move(record));
          }
          return absl::OkStatus();
        }));
    return stored;
  }

  absl::StatusOr<std::optional<DeviceRecord>> Get(absl::string_view user_id,
                                                  absl::string_view device_id) override {
    absl::MutexLock lock(&mutex_);
    return Read(user_id, device_id);
  }

  absl::StatusOr<std::vector<DeviceRecord>> List(absl::string_view user_id,
                                                 const std::optional<ListPosition>& after,
                                                 int limit) override {
    absl::MutexLock lock(&mutex_);
    sql::SqliteStatement& page = after ? next_page_ : first_page_;
    const sql::SqliteUse use(page);
    page.BindText(1, user_id);
    page.BindInt64(2, limit);
    if (after) {
      page.BindInt64(3, after->last_seen_ms);
      page.BindText(4, after->device_id);
    }
    std::vector<DeviceRecord> records;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, page.Step());
      if (!found) return records;
      records.push_back(ReadDevice(page));
    }
  }

  absl::Status Remove(absl::string_view user_id, absl::string_view device_id) override {
    absl::MutexLock lock(&mutex_);
    return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
      remove_.BindText(1, user_id);
      remove_.BindText(2, device_id);
      RETURN_IF_ERROR(remove_.Run());
      if (database_->changes() == 0) return absl::OkStatus();
      remove_cursors_.BindText(1, user_id);
      remove_cursors_.BindText(2, device_id);
      RETURN_IF_ERROR(remove_cursors_.Run());
      remove_purges_.BindText(1, user_id);
      remove_purges_.BindText(2, device_id);
      return remove_purges_.Run();
    });
  }

  absl::StatusOr<std::optional<DeviceRecord>> Revoke(absl::string_view user_id,
                                                     absl::string_view device_id,
                                                     int64_t now_ms) override {
    absl::MutexLock lock(&mutex_);
    revoke_.BindText(1, user_id);
    revoke_.BindText(2, device_id);
    revoke_.BindInt64(3, now_ms);
    RETURN_IF_ERROR(revoke_.Run());
    return Read(user_id, device_id);
  }

  absl::Status PutPurges(absl::Span<const v1::PurgeItem> purges, int64_t now_ms,
                         int64_t receipts_max) override {
    absl::MutexLock lock(&mutex_);
    return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
      for (const v1::PurgeItem& purge : purges) {
        for (sql::SqliteStatement* statement : {&put_purge_, &forget_cursors_}) {
          statement->BindText(1, purge.user_id());
          statement->BindText(2, purge.device_id());
          statement->BindText(3, purge.space());
        }
        put_purge_.BindInt64(4, now_ms);
        put_purge_.BindInt64(5, receipts_max);
        RETURN_IF_ERROR(put_purge_.Run());
        RETURN_IF_ERROR(forget_cursors_.Run());
      }
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::vector<StoredPurge>> GetPurges(
      absl::string_view user_id, absl::Span<const std::string> device_ids) override {
    absl::MutexLock lock(&mutex_);
    std::vector<StoredPurge> purges;
    for (const std::string& device_id : device_ids) {
      const sql::SqliteUse use(purges_);
      purges_.BindText(1, user_id);
      purges_.BindText(2, device_id);
      while (true) {
        ASSIGN_OR_RETURN(const bool found, purges_.Step());
        if (!found) break;
        StoredPurge& purge = purges.emplace_back();
        purge.device_id = device_id;
        purge.receipt.set_space(Text(purges_, 0));
        purge.receipt.set_purged_ms(purges_.Int64(1));
      }
    }
    return purges;
  }

  absl::StatusOr<Noted> Note(absl::Span<const SignOfLife> signs, int64_t now_ms) override {
    absl::MutexLock lock(&mutex_);
    Noted noted;
    RETURN_IF_ERROR(
        database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          for (const SignOfLife& sign : signs) {
            note_.BindText(1, sign.user_id);
            note_.BindText(2, sign.device_id);
            note_.BindInt64(3, now_ms);
            note_.BindInt64(4, sign.signed_off ? 1 : 0);
            note_.BindInt64(5, sign.state ? 1 : 0);
            BindState(note_, 6, sign.state.value_or(v1::DeviceState()));
            const sql::SqliteUse use(note_);
            ASSIGN_OR_RETURN(const bool found, note_.Step());
            if (!found) continue;
            ++noted.count;
            if (note_.Int64(0) == 0) continue;
            v1::DeviceName& revoked = noted.revoked.emplace_back();
            revoked.set_user_id(sign.user_id);
            revoked.set_device_id(sign.device_id);
          }
          return absl::OkStatus();
        }));
    return noted;
  }

  absl::Status PutCursors(absl::Span<const v1::CursorAck> cursors) override {
    absl::MutexLock lock(&mutex_);
    return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
      for (const v1::CursorAck& cursor : cursors) {
        put_cursor_.BindText(1, cursor.user_id());
        put_cursor_.BindText(2, cursor.device_id());
        put_cursor_.BindText(3, cursor.space());
        put_cursor_.BindInt64(4, static_cast<int64_t>(cursor.position().epoch()));
        put_cursor_.BindInt64(5, cursor.position().seq());
        RETURN_IF_ERROR(put_cursor_.Run());
      }
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::vector<std::vector<std::string>>> GetSpaces(
      absl::Span<const v1::DeviceName> devices, int spaces_max) override {
    absl::MutexLock lock(&mutex_);
    std::vector<std::vector<std::string>> spaces(devices.size());
    for (std::size_t i = 0; i < devices.size(); ++i) {
      const sql::SqliteUse use(spaces_);
      spaces_.BindText(1, devices[i].user_id());
      spaces_.BindText(2, devices[i].device_id());
      spaces_.BindInt64(3, spaces_max);
      while (true) {
        ASSIGN_OR_RETURN(const bool found, spaces_.Step());
        if (!found) break;
        spaces[i].push_back(Text(spaces_, 0));
      }
    }
    return spaces;
  }

  absl::StatusOr<std::vector<v1::CursorAck>> GetCursors(absl::string_view user_id,
                                                        absl::string_view device_id) override {
    absl::MutexLock lock(&mutex_);
    const sql::SqliteUse use(cursors_);
    cursors_.BindText(1, user_id);
    cursors_.BindText(2, device_id);
    std::vector<v1::CursorAck> cursors;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, cursors_.Step());
      if (!found) return cursors;
      v1::CursorAck& cursor = cursors.emplace_back();
      cursor.set_user_id(std::string(user_id));
      cursor.set_device_id(std::string(device_id));
      cursor.set_space(Text(cursors_, 0));
      cursor.mutable_position()->set_epoch(static_cast<uint64_t>(cursors_.Int64(1)));
      cursor.mutable_position()->set_seq(cursors_.Int64(2));
    }
  }

 private:
  // A device that is stored already needs none.
  absl::StatusOr<bool> HasRoomFor(const v1::Device& device, int64_t devices_max)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const sql::SqliteUse use(known_);
    known_.BindText(1, device.user_id());
    known_.BindText(2, device.device_id());
    ASSIGN_OR_RETURN(const bool known, known_.Step());
    if (known) return true;
    const sql::SqliteUse use_count(count_);
    count_.BindText(1, device.user_id());
    ASSIGN_OR_RETURN(const bool counted, count_.Step());
    return counted && count_.Int64(0) < devices_max;
  }

  absl::Status Write(const DevicePut& put, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const v1::Device& device = put.device;
    put_.BindText(1, device.user_id());
    put_.BindText(2, device.device_id());
    put_.BindText(3, device.client_name());
    put_.BindText(4, device.client_version());
    put_.BindText(5, device.platform());
    BindState(put_, 6, device.state());
    put_.BindInt64(10, now_ms);
    put_.BindInt64(11, put.state_given ? 1 : 0);
    put_.BindInt64(12, put.times);
    return put_.Run();
  }

  absl::StatusOr<std::optional<DeviceRecord>> Read(absl::string_view user_id,
                                                   absl::string_view device_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const sql::SqliteUse use(get_);
    get_.BindText(1, user_id);
    get_.BindText(2, device_id);
    ASSIGN_OR_RETURN(const bool found, get_.Step());
    if (!found) return std::optional<DeviceRecord>();
    return std::optional<DeviceRecord>(ReadDevice(get_));
  }

  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement known_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement count_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement put_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement get_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement first_page_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement next_page_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement remove_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement remove_cursors_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement revoke_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement put_purge_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement forget_cursors_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement purges_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement remove_purges_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement note_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement put_cursor_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement cursors_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement spaces_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<DeviceStorage>> OpenSqliteDeviceStorage(absl::string_view path) {
  auto storage = std::make_unique<SqliteDeviceStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::device_sync
