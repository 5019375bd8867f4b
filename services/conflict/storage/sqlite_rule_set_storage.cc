#include "services/conflict/storage/sqlite_rule_set_storage.h"

#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/rule_set_checks.h"
#include "services/conflict/storage/sqlite_rule_set_statements.h"

namespace bdcsync::conflict {
namespace {

using Bind = absl::FunctionRef<void(sql::SqliteStatement&)>;

StoredRuleSet ReadRow(const sql::SqliteStatement& row) {
  StoredRuleSet stored;
  stored.set.set_entity_type(std::string(row.Text(0)));
  stored.set.set_version(row.Int64(1));
  stored.set.set_rules(std::string(row.Blob(2)));
  stored.set.set_author(std::string(row.Text(3)));
  stored.set.set_time_ms(row.Int64(4));
  stored.set.set_active(row.Int64(5) != 0);
  stored.removed_by = std::string(row.Text(6));
  return stored;
}

// Rule sets are read and written rarely: statements are prepared for each call.
class SqliteRuleSetStorage final : public RuleSetStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    return sql::ApplyMigrations(*database_, SqliteMigrations());
  }

  absl::StatusOr<v1::RuleSet> Put(const NewRuleSet& added) override {
    absl::MutexLock lock(&mutex_);
    v1::RuleSet set = added.set;
    RETURN_IF_ERROR(
        database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          RuleSetStanding standing;
          ASSIGN_OR_RETURN(sql::SqliteStatement ask, database_->Prepare(sqlite::kRuleStanding));
          ask.BindText(1, set.entity_type());
          RETURN_IF_ERROR(ask.Step().status());
          standing.holding_version = ask.Int64(0);
          standing.last_version = ask.Int64(1);
          standing.types = ask.Int64(2);
          ask.Reset();
          RETURN_IF_ERROR(CheckNewRuleSet(added, standing));
          set.set_version(standing.last_version + 1);
          set.set_active(true);
          RETURN_IF_ERROR(Run(sqlite::kBumpRevision, [](sql::SqliteStatement&) {}));
          RETURN_IF_ERROR(Retire(set.entity_type(), ""));
          return Run(sqlite::kInsertRules, [&set](sql::SqliteStatement& insert) {
            insert.BindText(1, set.entity_type());
            insert.BindInt64(2, set.version());
            insert.BindBlob(3, set.rules());
            insert.BindText(4, set.author());
            insert.BindInt64(5, set.time_ms());
          });
        }));
    return set;
  }

  absl::StatusOr<bool> Remove(const std::string& entity_type, const std::string& author) override {
    absl::MutexLock lock(&mutex_);
    bool removed = false;
    RETURN_IF_ERROR(
        database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          RETURN_IF_ERROR(Retire(entity_type, author));
          removed = database_->changes() > 0;
          return removed ? Run(sqlite::kBumpRevision, [](sql::SqliteStatement&) {})
                         : absl::OkStatus();
        }));
    return removed;
  }

  absl::StatusOr<std::optional<v1::RuleSet>> Get(const std::string& entity_type,
                                                 int64_t version) override {
    ASSIGN_OR_RETURN(std::vector<StoredRuleSet> found,
                     Read(version == 0 ? sqlite::kGetHoldingRules : sqlite::kGetRules,
                          [&](sql::SqliteStatement& get) {
                            get.BindText(1, entity_type);
                            if (version != 0) get.BindInt64(2, version);
                          }));
    if (found.empty()) return std::nullopt;
    return std::move(found[0].set);
  }

  absl::StatusOr<std::optional<StoredRuleSet>> LatestOf(const std::string& entity_type,
                                                        const std::string& author) override {
    ASSIGN_OR_RETURN(std::vector<StoredRuleSet> found,
                     Read(sqlite::kLatestRulesOf, [&](sql::SqliteStatement& get) {
                       get.BindText(1, entity_type);
                       get.BindText(2, author);
                     }));
    if (found.empty()) return std::nullopt;
    return std::move(found[0]);
  }

  absl::StatusOr<std::vector<v1::RuleSet>> ListHolding(const std::string& after,
                                                       int limit) override {
    ASSIGN_OR_RETURN(std::vector<StoredRuleSet> found,
                     Read(sqlite::kListHoldingRules, [&](sql::SqliteStatement& list) {
                       list.BindText(1, after);
                       list.BindInt64(2, limit);
                     }));
    return SetsOf(std::move(found));
  }

  absl::StatusOr<std::vector<v1::RuleSet>> ListVersions(const std::string& entity_type,
                                                        int64_t before, int limit) override {
    ASSIGN_OR_RETURN(std::vector<StoredRuleSet> found,
                     Read(sqlite::kListRuleVersions, [&](sql::SqliteStatement& list) {
                       list.BindText(1, entity_type);
                       list.BindInt64(2,
                                      before == 0 ? std::numeric_limits<int64_t>::max() : before);
                       list.BindInt64(3, limit);
                     }));
    return SetsOf(std::move(found));
  }

  absl::StatusOr<int64_t> Revision() override {
    absl::MutexLock lock(&mutex_);
    return ReadRevision();
  }

  absl::StatusOr<RuleSetsThatHold> ReadHolding() override {
    absl::MutexLock lock(&mutex_);
    RuleSetsThatHold holding;
    RETURN_IF_ERROR(
        database_->ReadTransaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          ASSIGN_OR_RETURN(holding.revision, ReadRevision());
          ASSIGN_OR_RETURN(std::vector<StoredRuleSet> found,
                           ReadLocked(sqlite::kListHoldingRules, [](sql::SqliteStatement& list) {
                             list.BindText(1, "");
                             list.BindInt64(2, std::numeric_limits<int64_t>::max());
                           }));
          holding.sets = SetsOf(std::move(found));
          return absl::OkStatus();
        }));
    return holding;
  }

 private:
  absl::Status Run(const char* sql, Bind bind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(sql::SqliteStatement statement, database_->Prepare(sql));
    bind(statement);
    return statement.Run();
  }
  absl::Status Retire(const std::string& entity_type, const std::string& removed_by)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Run(sqlite::kRetireRules, [&](sql::SqliteStatement& retire) {
      retire.BindText(1, entity_type);
      retire.BindText(2, removed_by);
    });
  }
  absl::StatusOr<int64_t> ReadRevision() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(sql::SqliteStatement ask, database_->Prepare(sqlite::kRuleRevision));
    RETURN_IF_ERROR(ask.Step().status());
    return ask.Int64(0);
  }
  absl::StatusOr<std::vector<StoredRuleSet>> Read(const char* sql, Bind bind) {
    absl::MutexLock lock(&mutex_);
    return ReadLocked(sql, bind);
  }
  absl::StatusOr<std::vector<StoredRuleSet>> ReadLocked(const char* sql, Bind bind)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ASSIGN_OR_RETURN(sql::SqliteStatement statement, database_->Prepare(sql));
    bind(statement);
    std::vector<StoredRuleSet> sets;
    while (true) {
      ASSIGN_OR_RETURN(const bool found, statement.Step());
      if (!found) return sets;
      sets.push_back(ReadRow(statement));
    }
  }

  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenSqliteRuleSetStorage(absl::string_view path) {
  auto storage = std::make_unique<SqliteRuleSetStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::conflict
