#include "services/conflict/storage/postgres_resolution_storage.h"

#include <limits>
#include <map>
#include <utility>

#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_statements.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSchema[] = "conflict";
constexpr int kTextColumns = 9;

std::string Text(const sql::PostgresResult& rows, int row, int column) {
  return std::string(rows.Text(row, column));
}

absl::StatusOr<StoredResolution> ReadRow(const sql::PostgresResult& rows, int row,
                                         const std::string& space) {
  StoredResolution stored;
  v1::Resolution& resolution = stored.resolution;
  if (!resolution.ParseFromString(rows.Bytes(row, 10))) {
    return absl::DataLossError("a record of a resolution cannot be read");
  }
  stored.number = rows.Int64(row, 0);
  resolution.set_op_id(Text(rows, row, 1));
  resolution.mutable_entity()->set_space(space);
  resolution.mutable_entity()->set_entity_type(Text(rows, row, 2));
  resolution.mutable_entity()->set_entity_id(Text(rows, row, 3));
  resolution.mutable_entity()->set_branch(Text(rows, row, 4));
  resolution.set_base_version_id(Text(rows, row, 5));
  resolution.set_theirs_version_id(Text(rows, row, 6));
  resolution.set_user_id(Text(rows, row, 7));
  resolution.set_device_id(Text(rows, row, 8));
  resolution.set_time_ms(rows.Int64(row, 9));
  return stored;
}

// The last record of each operation, in order of key.
using Batch = std::map<std::pair<absl::string_view, absl::string_view>, const v1::Resolution*>;

sql::PostgresParams PutParams(const Batch& batch) {
  std::vector<sql::PostgresArray> texts;
  texts.reserve(kTextColumns);
  for (int i = 0; i < kTextColumns; ++i) texts.emplace_back(sql::PostgresArray::kText);
  sql::PostgresArray times(sql::PostgresArray::kInt64);
  sql::PostgresArray decisions(sql::PostgresArray::kBytes);
  for (const auto& [key, resolution] : batch) {
    const std::string* const columns[kTextColumns] = {&resolution->entity().space(),
                                                      &resolution->op_id(),
                                                      &resolution->entity().entity_type(),
                                                      &resolution->entity().entity_id(),
                                                      &resolution->entity().branch(),
                                                      &resolution->base_version_id(),
                                                      &resolution->theirs_version_id(),
                                                      &resolution->user_id(),
                                                      &resolution->device_id()};
    for (int i = 0; i < kTextColumns; ++i) texts[i].AddBytes(*columns[i]);
    times.AddInt64(resolution->time_ms());
    v1::Resolution only_decisions;
    *only_decisions.mutable_decisions() = resolution->decisions();
    decisions.AddBytes(only_decisions.SerializeAsString());
  }
  sql::PostgresParams params;
  for (sql::PostgresArray& column : texts) params.Add(std::move(column));
  params.Add(std::move(times)).Add(std::move(decisions));
  return params;
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
    Batch batch;
    for (const v1::Resolution& resolution : records.resolutions) {
      batch[{resolution.entity().space(), resolution.op_id()}] = &resolution;
    }
    if (batch.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     pool_.Execute(postgres::kPut, PutParams(batch)));
    if (rows.size() != static_cast<int>(batch.size())) {
      return absl::InternalError("a record of a resolution was not stored");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<StoredResolution>> List(const ResolutionQuery& query) override {
    sql::PostgresParams params;
    params.AddBytes(query.space);
    params.AddInt64(query.before == 0 ? std::numeric_limits<int64_t>::max() : query.before);
    params.AddInt64(query.limit);
    if (!query.entity_type.empty()) params.AddBytes(query.entity_type);
    if (!query.entity_id.empty()) params.AddBytes(query.entity_id);
    const sql::PostgresStatement& list = !query.entity_id.empty()     ? postgres::kListEntity
                                         : !query.entity_type.empty() ? postgres::kListType
                                                                      : postgres::kListSpace;
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(list, params));
    std::vector<StoredResolution> page;
    page.reserve(static_cast<size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
      ASSIGN_OR_RETURN(StoredResolution stored, ReadRow(rows, row, query.space));
      page.push_back(std::move(stored));
    }
    return page;
  }

 private:
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
