#include "services/conflict/storage/sqlite_analysis_storage.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "libs/sql/sqlite_use.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/sqlite_analysis_statements.h"

namespace bdcsync::conflict {
namespace {

bool IsByPlace(v1::AnalyzeDimension by) {
  return by == v1::ANALYZE_DIMENSION_PATH || by == v1::ANALYZE_DIMENSION_RULE;
}

class SqliteAnalysisStorage final : public AnalysisStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    return sql::ApplyMigrations(*database_, SqliteMigrations());
  }

  absl::StatusOr<std::vector<v1::AnalyzeGroup>> Count(const AnalysisQuery& query) override {
    const bool all = query.space.empty();
    const char* const text = IsByPlace(query.by)
                                 ? (all ? sqlite::kCountAllPlaces : sqlite::kCountPlaces)
                                 : (all ? sqlite::kCountAllRows : sqlite::kCountRows);
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(sql::SqliteStatement count, database_->Prepare(text));
    const sql::SqliteUse use(count);
    Bind(query, count);
    count.BindInt64(6, query.by);
    if (!IsByPlace(query.by)) count.BindInt64(7, query.bucket_ms);
    count.BindInt64(8, query.limit);
    std::vector<v1::AnalyzeGroup> groups;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, count.Step());
      if (!more) return groups;
      v1::AnalyzeGroup& group = groups.emplace_back();
      group.set_key(std::string(count.Text(0)));
      group.set_automatic(count.Int64(1));
      group.set_asked(count.Int64(2));
      group.set_resolved(count.Int64(3));
      group.set_expired(count.Int64(4));
      group.set_reversed(count.Int64(5));
      group.set_resolve_p50_ms(count.Int64(6));
      group.set_resolve_p90_ms(count.Int64(7));
      group.set_resolve_p99_ms(count.Int64(8));
    }
  }

  absl::StatusOr<std::optional<int64_t>> OldestCounted(const AnalysisQuery& query) override {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(
        sql::SqliteStatement oldest,
        database_->Prepare(query.space.empty() ? sqlite::kOldestOfAll : sqlite::kOldest));
    const sql::SqliteUse use(oldest);
    Bind(query, oldest);
    ASSIGN_OR_RETURN(const bool found, oldest.Step());
    if (!found || oldest.IsNull(0)) return std::nullopt;
    return oldest.Int64(0);
  }

 private:
  static void Bind(const AnalysisQuery& query, sql::SqliteStatement& statement) {
    if (!query.space.empty()) statement.BindText(1, query.space);
    statement.BindInt64(2, query.from_ms);
    statement.BindInt64(3, query.to_ms);
    statement.BindText(4, query.entity_type);
    statement.BindInt64(5, query.records_max);
  }

  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenSqliteAnalysisStorage(absl::string_view path) {
  auto storage = std::make_unique<SqliteAnalysisStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::conflict
