#include "services/conflict/storage/sqlite_resolution_storage.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "libs/sql/sqlite_use.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/sqlite_record_writer.h"
#include "services/conflict/storage/sqlite_statements.h"

namespace bdcsync::conflict {
namespace {

std::string Text(const sql::SqliteStatement& row, int column) {
  return std::string(row.Text(column));
}

constexpr int kDecisionsColumn = 10;

absl::StatusOr<StoredResolution> ReadRow(const sql::SqliteStatement& row) {
  StoredResolution stored;
  v1::Resolution& resolution = stored.resolution;
  const absl::string_view decisions = row.Blob(kDecisionsColumn);
  if (!resolution.ParseFromArray(decisions.data(), static_cast<int>(decisions.size()))) {
    return absl::DataLossError("a record of a resolution cannot be read");
  }
  stored.number = row.Int64(0);
  resolution.set_op_id(Text(row, 1));
  resolution.mutable_entity()->set_space(Text(row, 15));
  resolution.mutable_entity()->set_entity_type(Text(row, 2));
  resolution.mutable_entity()->set_entity_id(Text(row, 3));
  resolution.mutable_entity()->set_branch(Text(row, 4));
  resolution.set_base_version_id(Text(row, 5));
  resolution.set_theirs_version_id(Text(row, 6));
  resolution.set_user_id(Text(row, 7));
  resolution.set_device_id(Text(row, 8));
  resolution.set_time_ms(row.Int64(9));
  resolution.set_app_version(Text(row, 11));
  resolution.set_rule_set_version(row.Int64(12));
  resolution.set_conflict_id(Text(row, 13));
  resolution.set_undone_by_version_id(Text(row, 14));
  return stored;
}

class SqliteResolutionStorage final : public ResolutionStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    RETURN_IF_ERROR(writer_.Prepare(*database_));
    ASSIGN_OR_RETURN(list_space_, database_->Prepare(sqlite::kListSpace));
    ASSIGN_OR_RETURN(list_type_, database_->Prepare(sqlite::kListType));
    ASSIGN_OR_RETURN(list_entity_, database_->Prepare(sqlite::kListEntity));
    ASSIGN_OR_RETURN(list_all_, database_->Prepare(sqlite::kListAll));
    ASSIGN_OR_RETURN(get_, database_->Prepare(sqlite::kGet));
    ASSIGN_OR_RETURN(mark_undone_, database_->Prepare(sqlite::kMarkUndone));
    ASSIGN_OR_RETURN(undone_by_, database_->Prepare(sqlite::kUndoneBy));
    return absl::OkStatus();
  }

  absl::Status Ping() override {
    absl::MutexLock lock(&mutex_);
    return database_->Run("SELECT 1");
  }

  absl::Status Put(const Records& records) override {
    absl::MutexLock lock(&mutex_);
    return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
      for (const v1::Resolution& resolution : records.resolutions) {
        RETURN_IF_ERROR(writer_.Put(resolution));
      }
      for (const v1::Conflict& opening : records.openings) RETURN_IF_ERROR(writer_.Open(opening));
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::optional<v1::Resolution>> Get(const std::string& space,
                                                    const std::string& op_id) override {
    absl::MutexLock lock(&mutex_);
    const sql::SqliteUse use(get_);
    get_.BindText(1, space);
    get_.BindText(2, op_id);
    ASSIGN_OR_RETURN(const bool found, get_.Step());
    if (!found) return std::nullopt;
    ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(get_));
    return std::move(stored.resolution);
  }

  absl::StatusOr<std::string> MarkUndone(const v1::RecordUndoneRequest& undone) override {
    absl::MutexLock lock(&mutex_);
    {
      const sql::SqliteUse use(mark_undone_);
      mark_undone_.BindText(1, undone.space());
      mark_undone_.BindText(2, undone.op_id());
      mark_undone_.BindText(3, undone.version_id());
      mark_undone_.BindText(4, undone.user_id());
      RETURN_IF_ERROR(mark_undone_.Run());
    }
    const sql::SqliteUse use(undone_by_);
    undone_by_.BindText(1, undone.space());
    undone_by_.BindText(2, undone.op_id());
    ASSIGN_OR_RETURN(const bool found, undone_by_.Step());
    return found ? Text(undone_by_, 0) : std::string();
  }

  absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) override {
    absl::MutexLock lock(&mutex_);
    sql::SqliteStatement& list = query.space.empty()          ? list_all_
                                 : !query.entity_id.empty()   ? list_entity_
                                 : !query.entity_type.empty() ? list_type_
                                                              : list_space_;
    const sql::SqliteUse use(list);
    if (!query.space.empty()) list.BindText(1, query.space);
    const RecordPlace before = query.before.value_or(kNewest);
    list.BindInt64(2, before.time_ms);
    list.BindInt64(3, before.number);
    list.BindInt64(4, query.limit);
    if (!query.entity_type.empty()) list.BindText(5, query.entity_type);
    if (!query.entity_id.empty()) list.BindText(6, query.entity_id);
    std::vector<StoredResolution> page;
    size_t bytes = 0;
    while (page.size() < 2 || bytes <= query.bytes_max) {
      ASSIGN_OR_RETURN(const bool found, list.Step());
      if (!found) break;
      ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(list));
      bytes += list.Blob(kDecisionsColumn).size();
      page.push_back(std::move(stored));
    }
    return page;
  }

 private:
  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
  SqliteRecordWriter writer_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_space_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_type_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_entity_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_all_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement get_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement mark_undone_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement undone_by_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenSqliteResolutionStorage(
    absl::string_view path) {
  auto storage = std::make_unique<SqliteResolutionStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::conflict
