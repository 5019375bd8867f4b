#include "services/conflict/storage/postgres_rule_set_storage.h"

#include <limits>
#include <utility>

#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/postgres.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/postgres_retry.h"
#include "services/conflict/storage/postgres_rule_set_statements.h"
#include "services/conflict/storage/rule_set_checks.h"

namespace bdcsync::conflict {
namespace {

constexpr char kSchema[] = "conflict";
// Rule sets are read and written rarely.
constexpr size_t kConnectionsMax = 1;

StoredRuleSet ReadRow(const sql::PostgresResult& rows, int row) {
  StoredRuleSet stored;
  stored.set.set_entity_type(std::string(rows.Text(row, 0)));
  stored.set.set_version(rows.Int64(row, 1));
  stored.set.set_rules(rows.Bytes(row, 2));
  stored.set.set_author(std::string(rows.Text(row, 3)));
  stored.set.set_time_ms(rows.Int64(row, 4));
  stored.set.set_active(rows.Bool(row, 5));
  stored.removed_by = std::string(rows.Text(row, 6));
  return stored;
}

std::vector<StoredRuleSet> ReadRows(const sql::PostgresResult& rows) {
  std::vector<StoredRuleSet> sets;
  sets.reserve(static_cast<size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) sets.push_back(ReadRow(rows, row));
  return sets;
}

absl::Status Retire(sql::PostgresSession& session, const std::string& entity_type,
                    const std::string& removed_by, bool& retired) {
  sql::PostgresParams params;
  params.AddBytes(entity_type).AddBytes(removed_by);
  ASSIGN_OR_RETURN(const sql::PostgresResult rows, session.Execute(postgres::kRetireRules, params));
  retired = rows.affected() > 0;
  return absl::OkStatus();
}

class PostgresRuleSetStorage final : public RuleSetStorage {
 public:
  PostgresRuleSetStorage(sql::PostgresOptions options, const Clock& clock)
      : pool_(std::move(options), clock) {}

  absl::Status Migrate() { return sql::ApplyMigrations(pool_, PostgresMigrations()); }

  absl::StatusOr<v1::RuleSet> Put(const NewRuleSet& added) override {
    v1::RuleSet set = added.set;
    RETURN_IF_ERROR(pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
      RETURN_IF_ERROR(session.Execute(postgres::kBumpRevision, sql::PostgresParams()).status());
      sql::PostgresParams type;
      type.AddBytes(set.entity_type());
      ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                       session.Execute(postgres::kRuleStanding, type));
      const RuleSetStanding standing{rows.Int64(0, 0), rows.Int64(0, 1), rows.Int64(0, 2)};
      RETURN_IF_ERROR(CheckNewRuleSet(added, standing));
      set.set_version(standing.last_version + 1);
      set.set_active(true);
      bool retired = false;
      RETURN_IF_ERROR(Retire(session, set.entity_type(), "", retired));
      sql::PostgresParams row;
      row.AddBytes(set.entity_type()).AddInt64(set.version()).AddBytes(set.rules());
      row.AddBytes(set.author()).AddInt64(set.time_ms());
      return session.Execute(postgres::kInsertRules, row).status();
    }));
    return set;
  }

  absl::StatusOr<bool> Remove(const std::string& entity_type, const std::string& author) override {
    bool removed = false;
    RETURN_IF_ERROR(pool_.Transaction([&](sql::PostgresSession& session) -> absl::Status {
      RETURN_IF_ERROR(session.Execute(postgres::kBumpRevision, sql::PostgresParams()).status());
      return Retire(session, entity_type, author, removed);
    }));
    return removed;
  }

  absl::StatusOr<std::optional<v1::RuleSet>> Get(const std::string& entity_type,
                                                 int64_t version) override {
    sql::PostgresParams params;
    params.AddBytes(entity_type);
    if (version != 0) params.AddInt64(version);
    ASSIGN_OR_RETURN(
        const sql::PostgresResult rows,
        ExecuteRead(pool_, version == 0 ? postgres::kGetHoldingRules : postgres::kGetRules,
                    params));
    if (rows.size() == 0) return std::nullopt;
    return ReadRow(rows, 0).set;
  }

  absl::StatusOr<std::optional<StoredRuleSet>> LatestOf(const std::string& entity_type,
                                                        const std::string& author) override {
    sql::PostgresParams params;
    params.AddBytes(entity_type).AddBytes(author);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     ExecuteRead(pool_, postgres::kLatestRulesOf, params));
    if (rows.size() == 0) return std::nullopt;
    return ReadRow(rows, 0);
  }

  absl::StatusOr<std::vector<v1::RuleSet>> ListHolding(const std::string& after,
                                                       int limit) override {
    sql::PostgresParams params;
    params.AddBytes(after).AddInt64(limit);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     ExecuteRead(pool_, postgres::kListHoldingRules, params));
    return SetsOf(ReadRows(rows));
  }

  absl::StatusOr<std::vector<v1::RuleSet>> ListVersions(const std::string& entity_type,
                                                        int64_t before, int limit) override {
    sql::PostgresParams params;
    params.AddBytes(entity_type);
    params.AddInt64(before == 0 ? std::numeric_limits<int64_t>::max() : before);
    params.AddInt64(limit);
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     ExecuteRead(pool_, postgres::kListRuleVersions, params));
    return SetsOf(ReadRows(rows));
  }

  absl::StatusOr<int64_t> Revision() override {
    ASSIGN_OR_RETURN(const sql::PostgresResult rows,
                     ExecuteRead(pool_, postgres::kRuleRevision, sql::PostgresParams()));
    return rows.Int64(0, 0);
  }

  absl::StatusOr<RuleSetsThatHold> ReadHolding() override {
    RuleSetsThatHold holding;
    // The revision first: what changes between the two is read once more later.
    ASSIGN_OR_RETURN(holding.revision, Revision());
    ASSIGN_OR_RETURN(holding.sets, ListHolding("", std::numeric_limits<int>::max()));
    return holding;
  }

 private:
  sql::PostgresPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenPostgresRuleSetStorage(const std::string& url,
                                                                           const Clock& clock) {
  sql::PostgresOptions options;
  options.url = url;
  options.schema = kSchema;
  options.connections_max = kConnectionsMax;
  auto storage = std::make_unique<PostgresRuleSetStorage>(std::move(options), clock);
  RETURN_IF_ERROR(storage->Migrate());
  return storage;
}

}  // namespace bdcsync::conflict
