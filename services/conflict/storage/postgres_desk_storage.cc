#include "services/conflict/storage/postgres_desk_storage.h"

#include <utility>

#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/conflict/storage/desk_rows.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_desk_statements.h"
#include "services/conflict/storage/postgres_record_params.h"
#include "services/conflict/storage/postgres_retry.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSchema[] = "conflict";

sql::PostgresParams Ids(absl::Span<const std::string> conflict_ids) {
  sql::PostgresArray ids(sql::PostgresArray::kText);
  for (const std::string& id : conflict_ids) ids.AddBytes(id);
  sql::PostgresParams params;
  params.Add(std::move(ids));
  return params;
}

class PostgresDeskStorage final : public DeskStorage {
 public:
  PostgresDeskStorage(sql::PostgresOptions options, const Clock& clock)
      : pool_(std::move(options), clock) {}

  absl::Status Migrate() { return sql::ApplyMigrations(pool_, PostgresMigrations()); }

  absl::StatusOr<std::vector<ConflictPlace>> List(const ConflictQuery& query) override {
    const bool of_type = !query.entity_type.empty();
    const bool of_entity = !query.entity_id.empty();
    const bool of_assignee = !query.assigned_to.empty() && !of_entity;
    sql::PostgresArray states(sql::PostgresArray::kInt16);
    for (const v1::ConflictState state : query.states) {
      states.AddInt16(static_cast<int16_t>(state));
    }
    sql::PostgresParams params;
    params.AddBytes(query.space).Add(std::move(states)).AddInt64(query.before_ms);
    params.AddBytes(query.before_id).AddInt64(query.limit);
    if (of_type || of_assignee) params.AddBytes(query.entity_type);
    if (of_entity) params.AddBytes(query.entity_id);
    if (of_entity || of_assignee) params.AddBytes(query.assigned_to);
    const sql::PostgresStatement& list = of_entity     ? postgres::kListConflictsOfEntity
                                         : of_assignee ? postgres::kListConflictsOfAssignee
                                         : of_type     ? postgres::kListConflictsOfType
                                                       : postgres::kListConflicts;
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, ExecuteRead(pool_, list, params));
    std::vector<ConflictPlace> page;
    page.reserve(static_cast<size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
      page.push_back({.conflict_id = std::string(rows.Text(row, 0)),
                      .opened_ms = rows.Int64(row, 1),
                      .bytes = static_cast<size_t>(rows.Int64(row, 2))});
    }
    return page;
  }

  absl::StatusOr<std::vector<StoredConflict>> Get(
      absl::Span<const std::string> conflict_ids) override {
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     ExecuteRead(pool_, postgres::kGetConflicts, Ids(conflict_ids)));
    std::vector<StoredConflict> found;
    for (int row = 0; row < rows.size(); ++row) {
      ASSIGN_OR_RETURN(StoredConflict stored, ReadConflict(rows.Int64(row, 0), rows.Text(row, 1),
                                                           rows.Bytes(row, 2), rows.Bytes(row, 3)));
      found.push_back(std::move(stored));
    }
    return found;
  }

  absl::Status Record(const FactBatch& facts) override {
    return RunAgainWhenAborted([&] {
      return pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
        if (!facts.forgotten.empty()) {
          RETURN_IF_ERROR(
              session.Execute(postgres::kForgetConflicts, Ids(facts.forgotten)).status());
        }
        // Records first, as whoever decides does, so that batches that meet rarely deadlock.
        RETURN_IF_ERROR(postgres::PutClosings(session, facts.resolutions));
        if (facts.held.empty()) return absl::OkStatus();
        const sql::PostgresParams held = postgres::ConflictParams(facts.held, facts.now_ms);
        return session.Execute(postgres::kHoldConflicts, held).status();
      });
    });
  }

  absl::StatusOr<DuePlaces> ListDue(const DueQuery& query) override {
    DuePlaces places;
    sql::PostgresParams deadlines;
    deadlines.AddInt64(query.now_ms).AddInt64(query.limit);
    RETURN_IF_ERROR(ListOverdue(postgres::kListDeadlines, deadlines, query.now_ms,
                                v1::DUE_REASON_DEADLINE, places));
    for (const v1::ConflictState state : kOpenStates) {
      const bool opening = state == v1::CONFLICT_STATE_OPENING;
      const int64_t before_ms = opening ? query.opening_before_ms : query.verified_before_ms;
      sql::PostgresParams uncertain;
      uncertain.AddInt64(before_ms).AddInt64(query.limit).AddInt16(static_cast<int16_t>(state));
      RETURN_IF_ERROR(ListOverdue(postgres::kListUncertain, uncertain, before_ms,
                                  v1::DUE_REASON_UNCERTAIN, places));
    }
    KeepMostOverdue(query.limit, places.due);
    sql::PostgresParams now;
    now.AddInt64(query.now_ms);
    ASSIGN_OR_RETURN(const sql::PostgresResult next,
                     ExecuteRead(pool_, postgres::kNextDeadline, now));
    if (next.size() > 0) places.next_deadline_ms = next.Int64(0, 0);
    return places;
  }

  absl::StatusOr<bool> Assign(const std::string& conflict_id, const std::string& user_id) override {
    sql::PostgresParams params;
    params.AddBytes(conflict_id).AddBytes(user_id);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kAssign, params));
    return rows.affected() > 0;
  }

  absl::StatusOr<bool> KeepChoices(const std::string& conflict_id, const std::string& were,
                                   const std::string& choices) override {
    sql::PostgresParams params;
    params.AddBytes(conflict_id).AddBytes(choices).AddBytes(were);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(postgres::kKeepChoices, params));
    return rows.affected() > 0;
  }

  absl::StatusOr<int64_t> DeleteBefore(int64_t before_ms, int limit) override {
    int64_t deleted = 0;
    for (const sql::PostgresStatement& statement :
         {postgres::kDeleteRecords, postgres::kDeleteConflicts}) {
      sql::PostgresParams params;
      params.AddInt64(before_ms).AddInt64(limit);
      ASSIGN_OR_RETURN(const sql::PostgresResult rows, pool_.Execute(statement, params));
      deleted += rows.affected();
    }
    return deleted;
  }

  absl::StatusOr<OpenCounts> CountOpen() override {
    OpenCounts counts;
    for (size_t i = 0; i < counts.size(); ++i) {
      sql::PostgresParams params;
      params.AddInt16(static_cast<int16_t>(kOpenStates[i]));
      ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                       ExecuteRead(pool_, postgres::kCountOpen, params));
      if (rows.size() > 0) counts[i] = {rows.Int64(0, 0), rows.Int64(0, 1)};
    }
    return counts;
  }

 private:
  absl::Status ListOverdue(const sql::PostgresStatement& list, const sql::PostgresParams& params,
                           int64_t before_ms, v1::DueReason reason, DuePlaces& places) {
    ASSIGN_OR_RETURN(const sql::PostgresResult rows, ExecuteRead(pool_, list, params));
    for (int row = 0; row < rows.size(); ++row) {
      places.due.push_back({.conflict_id = std::string(rows.Text(row, 0)),
                            .reason = reason,
                            .overdue_ms = before_ms - rows.Int64(row, 1),
                            .bytes = static_cast<size_t>(rows.Int64(row, 2))});
    }
    return absl::OkStatus();
  }

  sql::PostgresPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DeskStorage>> OpenPostgresDeskStorage(const std::string& url,
                                                                     int connections_max,
                                                                     const Clock& clock) {
  sql::PostgresOptions options;
  options.url = url;
  options.schema = kSchema;
  options.connections_max = static_cast<std::size_t>(connections_max);
  auto storage = std::make_unique<PostgresDeskStorage>(std::move(options), clock);
  RETURN_IF_ERROR(storage->Migrate());
  return storage;
}

}  // namespace bdcsync::conflict
