#include "services/conflict/storage/sqlite_resolution_storage.h"

#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/sqlite_statements.h"

namespace bdcsync::conflict {
namespace {

// Leaves a statement ready for its next use, however the call ends.
class Use {
 public:
  explicit Use(sql::SqliteStatement& statement) : statement_(statement) {}
  ~Use() { statement_.Reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  sql::SqliteStatement& statement_;
};

std::string Text(const sql::SqliteStatement& row, int column) {
  return std::string(row.Text(column));
}

absl::StatusOr<StoredResolution> ReadRow(const sql::SqliteStatement& row,
                                         const std::string& space) {
  StoredResolution stored;
  v1::Resolution& resolution = stored.resolution;
  const absl::string_view decisions = row.Blob(10);
  if (!resolution.ParseFromArray(decisions.data(), static_cast<int>(decisions.size()))) {
    return absl::DataLossError("a record of a resolution cannot be read");
  }
  stored.number = row.Int64(0);
  resolution.set_op_id(Text(row, 1));
  resolution.mutable_entity()->set_space(space);
  resolution.mutable_entity()->set_entity_type(Text(row, 2));
  resolution.mutable_entity()->set_entity_id(Text(row, 3));
  resolution.mutable_entity()->set_branch(Text(row, 4));
  resolution.set_base_version_id(Text(row, 5));
  resolution.set_theirs_version_id(Text(row, 6));
  resolution.set_user_id(Text(row, 7));
  resolution.set_device_id(Text(row, 8));
  resolution.set_time_ms(row.Int64(9));
  return stored;
}

std::string DecisionsOf(const v1::Resolution& resolution) {
  v1::Resolution decisions;
  *decisions.mutable_decisions() = resolution.decisions();
  return decisions.SerializeAsString();
}

class SqliteResolutionStorage final : public ResolutionStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    ASSIGN_OR_RETURN(put_, database_->Prepare(sqlite::kPut));
    ASSIGN_OR_RETURN(list_space_, database_->Prepare(sqlite::kListSpace));
    ASSIGN_OR_RETURN(list_type_, database_->Prepare(sqlite::kListType));
    ASSIGN_OR_RETURN(list_entity_, database_->Prepare(sqlite::kListEntity));
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
        RETURN_IF_ERROR(PutOne(resolution));
      }
      return absl::OkStatus();
    });
  }

  absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) override {
    absl::MutexLock lock(&mutex_);
    sql::SqliteStatement& list = !query.entity_id.empty()     ? list_entity_
                                 : !query.entity_type.empty() ? list_type_
                                                              : list_space_;
    const Use use(list);
    list.BindText(1, query.space);
    list.BindInt64(2, query.before == 0 ? std::numeric_limits<int64_t>::max() : query.before);
    list.BindInt64(3, query.limit);
    if (!query.entity_type.empty()) list.BindText(4, query.entity_type);
    if (!query.entity_id.empty()) list.BindText(5, query.entity_id);
    std::vector<StoredResolution> page;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, list.Step());
      if (!found) return page;
      ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(list, query.space));
      page.push_back(std::move(stored));
    }
  }

 private:
  absl::Status PutOne(const v1::Resolution& resolution) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string decisions = DecisionsOf(resolution);
    const Use use(put_);
    put_.BindText(1, resolution.entity().space());
    put_.BindText(2, resolution.op_id());
    put_.BindText(3, resolution.entity().entity_type());
    put_.BindText(4, resolution.entity().entity_id());
    put_.BindText(5, resolution.entity().branch());
    put_.BindText(6, resolution.base_version_id());
    put_.BindText(7, resolution.theirs_version_id());
    put_.BindText(8, resolution.user_id());
    put_.BindText(9, resolution.device_id());
    put_.BindInt64(10, resolution.time_ms());
    put_.BindBlob(11, decisions);
    return put_.Run();
  }

  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement put_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_space_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_type_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_entity_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenSqliteResolutionStorage(
    absl::string_view path) {
  auto storage = std::make_unique<SqliteResolutionStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::conflict
