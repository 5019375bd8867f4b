#include "services/conflict/storage/postgres_resolution_storage.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_desk_statements.h"
#include "services/conflict/storage/postgres_record_params.h"
#include "services/conflict/storage/postgres_retry.h"
#include "services/conflict/storage/postgres_statements.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSchema[] = "conflict";

std::string Text(const sql::PostgresResult& rows, int row, int column) {
  return std::string(rows.Text(row, column));
}

absl::StatusOr<StoredResolution> ReadRow(const sql::PostgresResult& rows, int row) {
  StoredResolution stored;
  v1::Resolution& resolution = stored.resolution;
  if (!resolution.ParseFromString(rows.Bytes(row, 10))) {
    return absl::DataLossError("a record of a resolution cannot be read");
  }
  stored.number = rows.Int64(row, 0);
  resolution.set_op_id(Text(rows, row, 1));
  resolution.mutable_entity()->set_space(Text(rows, row, 15));
  resolution.mutable_entity()->set_entity_type(Text(rows, row, 2));
  resolution.mutable_entity()->set_entity_id(Text(rows, row, 3));
  resolution.mutable_entity()->set_branch(Text(rows, row, 4));
  resolution.set_base_version_id(Text(rows, row, 5));
  resolution.set_theirs_version_id(Text(rows, row, 6));
  resolution.set_user_id(Text(rows, row, 7));
  resolution.set_device_id(Text(rows, row, 8));
  resolution.set_time_ms(rows.Int64(row, 9));
  resolution.set_app_version(Text(rows, row, 11));
  resolution.set_rule_set_version(rows.Int64(row, 12));
  resolution.set_conflict_id(Text(rows, row, 13));
  resolution.set_undone_by_version_id(Text(rows, row, 14));
  return stored;
}

class PostgresResolutionStorage final : public ResolutionStorage {
 public:
  PostgresResolutionStorage(sql::PostgresOptions options, const Clock& clock)
      : pool_(std::move(options), clock) {}

  absl::Status Migrate() { return sql::ApplyMigrations(pool_, PostgresMigrations()); }

  absl::Status Ping() override {
    return pool_.Execute(postgres::kPing, sql::PostgresParams()).status();
  }

  absl::Status Put(const Records& records) override {
    if (!records.openings.empty()) {
      return RunAgainWhenAborted([&] {
        return pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
          RETURN_IF_ERROR(postgres::PutRecords(session, records.resolutions));
          return PutOpenings(session, records.openings);
        });
      });
    }
    if (records.resolutions.empty()) return absl::OkStatus();
    const postgres::PutBatch batch = postgres::PutBatchOf(records.resolutions);
    absl::StatusOr<sql::PostgresResult> rows = pool_.Execute(postgres::kPutNew, batch.params);
    if (absl::IsAlreadyExists(rows.status())) rows = pool_.Execute(postgres::kPut, batch.params);
    if (!rows.ok()) return rows.status();
    if (rows->affected() == batch.rows) return absl::OkStatus();
    return absl::InternalError("a record of a resolution was not stored");
  }

  absl::StatusOr<std::optional<v1::Resolution>> Get(const std::string& space,
                                                    const std::string& op_id) override {
    sql::PostgresParams params;
    params.AddBytes(space).AddBytes(op_id);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, ExecuteRead(pool_, postgres::kGet, params));
    if (rows.size() == 0) return std::nullopt;
    ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(rows, 0));
    return std::move(stored.resolution);
  }

  absl::StatusOr<std::string> MarkUndone(const v1::RecordUndoneRequest& undone) override {
    sql::PostgresParams params;
    params.AddBytes(undone.space()).AddBytes(undone.op_id());
    params.AddBytes(undone.version_id()).AddBytes(undone.user_id());
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kMarkUndone, params));
    return rows.size() == 0 ? std::string() : Text(rows, 0, 0);
  }

  absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) override {
    sql::PostgresParams params;
    const RecordPlace before = query.before.value_or(kNewest);
    params.AddBytes(query.space).AddInt64(before.time_ms).AddInt64(before.number);
    params.AddInt64(query.limit);
    params.AddInt64(static_cast<int64_t>(
        std::min(query.bytes_max, size_t{std::numeric_limits<int64_t>::max()})));
    if (!query.entity_type.empty()) params.AddBytes(query.entity_type);
    if (!query.entity_id.empty()) params.AddBytes(query.entity_id);
    const sql::PostgresStatement& list = query.space.empty()          ? postgres::kListAll
                                         : !query.entity_id.empty()   ? postgres::kListEntity
                                         : !query.entity_type.empty() ? postgres::kListType
                                                                      : postgres::kListSpace;
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, ExecuteRead(pool_, list, params));
    std::vector<StoredResolution> page;
    page.reserve(static_cast<size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
      ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(rows, row));
      page.push_back(std::move(stored));
    }
    return page;
  }

 private:
  static absl::Status PutOpenings(sql::PostgresSession& session,
                                  absl::Span<const v1::Conflict> openings) {
    sql::PostgresArray spaces(sql::PostgresArray::kText);
    sql::PostgresArray operations(sql::PostgresArray::kText);
    for (const v1::Conflict& opening : openings) {
      spaces.AddBytes(opening.entity().space());
      operations.AddBytes(opening.op_id());
    }
    sql::PostgresParams operation_keys;
    operation_keys.Add(std::move(spaces)).Add(std::move(operations));
    RETURN_IF_ERROR(session.Execute(postgres::kDropRecords, operation_keys).status());
    return session.Execute(postgres::kOpenConflicts, postgres::ConflictParams(openings, 0))
        .status();
  }

  sql::PostgresPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ResolutionStorage>> OpenPostgresResolutionStorage(
    const std::string& url, int connections_max, const Clock& clock) {
  sql::PostgresOptions options;
  options.url = url;
  options.schema = kSchema;
  options.connections_max = static_cast<std::size_t>(connections_max);
  auto storage = std::make_unique<PostgresResolutionStorage>(std::move(options), clock);
  RETURN_IF_ERROR(storage->Migrate());
  return storage;
}

}  // namespace bdcsync::conflict
