#include "services/conflict/storage/postgres_analysis_storage.h"

#include <utility>

#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_analysis_statements.h"
#include "services/conflict/storage/postgres_retry.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSchema[] = "conflict";

bool IsByPlace(v1::AnalyzeDimension by) {
  return by == v1::ANALYZE_DIMENSION_PATH || by == v1::ANALYZE_DIMENSION_RULE;
}

sql::PostgresParams ParamsOf(const AnalysisQuery& query) {
  sql::PostgresParams params;
  params.AddBytes(query.space).AddInt64(query.from_ms).AddInt64(query.to_ms);
  params.AddBytes(query.entity_type).AddInt64(query.records_max);
  return params;
}

class PostgresAnalysisStorage final : public AnalysisStorage {
 public:
  PostgresAnalysisStorage(sql::PostgresOptions options, const Clock& clock)
      : pool_(std::move(options), clock) {}

  absl::Status Migrate() { return sql::ApplyMigrations(pool_, PostgresMigrations()); }

  absl::StatusOr<std::vector<v1::AnalyzeGroup>> Count(const AnalysisQuery& query) override {
    const bool all = query.space.empty();
    const sql::PostgresStatement& count =
        IsByPlace(query.by) ? (all ? postgres::kCountAllPlaces : postgres::kCountPlaces)
                            : (all ? postgres::kCountAllRows : postgres::kCountRows);
    sql::PostgresParams params = ParamsOf(query);
    params.AddInt64(query.by);
    if (!IsByPlace(query.by)) params.AddInt64(query.bucket_ms);
    params.AddInt64(query.limit);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, ExecuteRead(pool_, count, params));
    std::vector<v1::AnalyzeGroup> groups;
    for (int row = 0; row < rows.size(); ++row) {
      v1::AnalyzeGroup& group = groups.emplace_back();
      group.set_key(std::string(rows.Text(row, 0)));
      group.set_automatic(rows.Int64(row, 1));
      group.set_asked(rows.Int64(row, 2));
      group.set_resolved(rows.Int64(row, 3));
      group.set_expired(rows.Int64(row, 4));
      group.set_reversed(rows.Int64(row, 5));
      group.set_resolve_p50_ms(rows.Int64(row, 6));
      group.set_resolve_p90_ms(rows.Int64(row, 7));
      group.set_resolve_p99_ms(rows.Int64(row, 8));
    }
    return groups;
  }

  absl::StatusOr<std::optional<int64_t>> OldestCounted(const AnalysisQuery& query) override {
    ASSIGN_OR_RETURN(
        const sql::PostgresResult rows,
        ExecuteRead(pool_, query.space.empty() ? postgres::kOldestOfAll : postgres::kOldest,
                    ParamsOf(query)));
    if (rows.size() == 0 || rows.IsNull(0, 0)) return std::nullopt;
    return rows.Int64(0, 0);
  }

 private:
  sql::PostgresPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AnalysisStorage>> OpenPostgresAnalysisStorage(const std::string& url,
                                                                             const Clock& clock) {
  sql::PostgresOptions options;
  options.url = url;
  options.schema = kSchema;
  options.connections_max = 1;
  auto storage = std::make_unique<PostgresAnalysisStorage>(std::move(options), clock);
  RETURN_IF_ERROR(storage->Migrate());
  return storage;
}

}  // namespace bdcsync::conflict
