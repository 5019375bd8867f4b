#include "services/conflict/storage/sqlite_desk_storage.h"

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/status.h"
#include "libs/sql/migrations.h"
#include "libs/sql/sqlite.h"
#include "libs/sql/sqlite_use.h"
#include "services/conflict/storage/desk_rows.h"
#include "services/conflict/storage/migrations.h"
#include "services/conflict/storage/sqlite_desk_statements.h"
#include "services/conflict/storage/sqlite_record_writer.h"

namespace bdcsync::conflict {
namespace {

class SqliteDeskStorage final : public DeskStorage {
 public:
  absl::Status Open(absl::string_view path) {
    absl::MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(database_, sql::SqliteDatabase::Open(path, sql::SqliteOptions()));
    RETURN_IF_ERROR(sql::ApplyMigrations(*database_, SqliteMigrations()));
    RETURN_IF_ERROR(writer_.Prepare(*database_));
    for (auto& [statement, text] :
         std::initializer_list<std::pair<sql::SqliteStatement*, const char*>>{
             {&get_, sqlite::kGetConflict},
             {&forget_, sqlite::kForgetConflict},
             {&list_, sqlite::kListConflicts},
             {&list_type_, sqlite::kListConflictsOfType},
             {&list_entity_, sqlite::kListConflictsOfEntity},
             {&list_assignee_, sqlite::kListConflictsOfAssignee},
             {&deadlines_, sqlite::kListDeadlines},
             {&uncertain_, sqlite::kListUncertain},
             {&next_deadline_, sqlite::kNextDeadline},
             {&assign_, sqlite::kAssign},
             {&keep_choices_, sqlite::kKeepChoices},
             {&count_open_, sqlite::kCountOpen},
             {&delete_records_, sqlite::kDeleteRecords},
             {&delete_conflicts_, sqlite::kDeleteConflicts}}) {
      ASSIGN_OR_RETURN(*statement, database_->Prepare(text));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ConflictPlace>> List(const ConflictQuery& query) override {
    absl::MutexLock lock(&mutex_);
    std::vector<ConflictPlace> page;
    RETURN_IF_ERROR(
        database_->ReadTransaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
          for (const v1::ConflictState state : query.states) {
            RETURN_IF_ERROR(ListState(query, state, page));
          }
          return absl::OkStatus();
        }));
    KeepNewest(query.limit, page);
    return page;
  }

  absl::StatusOr<std::vector<StoredConflict>> Get(
      absl::Span<const std::string> conflict_ids) override {
    absl::MutexLock lock(&mutex_);
    std::vector<StoredConflict> found;
    for (const std::string& id : conflict_ids) {
      const sql::SqliteUse use(get_);
      get_.BindText(1, id);
      ASSIGN_OR_RETURN(const bool exists, get_.Step());
      if (!exists) continue;
      ASSIGN_OR_RETURN(StoredConflict stored,
                       ReadConflict(get_.Int64(0), get_.Text(1), get_.Blob(2), get_.Blob(3)));
      found.push_back(std::move(stored));
    }
    return found;
  }

  absl::Status Record(const FactBatch& facts) override {
    absl::MutexLock lock(&mutex_);
    return database_->Transaction([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) -> absl::Status {
      for (const std::string& id : facts.forgotten) {
        const sql::SqliteUse use(forget_);
        forget_.BindText(1, id);
        RETURN_IF_ERROR(forget_.Run());
      }
      for (const v1::Conflict& conflict : facts.held) {
        RETURN_IF_ERROR(writer_.Hold(conflict, facts.now_ms));
      }
      for (const v1::Resolution& resolution : facts.resolutions) {
        RETURN_IF_ERROR(writer_.PutClosing(resolution));
      }
      return absl::OkStatus();
    });
  }

  absl::StatusOr<DuePlaces> ListDue(const DueQuery& query) override {
    absl::MutexLock lock(&mutex_);
    DuePlaces places;
    RETURN_IF_ERROR(ListOverdue(deadlines_, query.now_ms, v1::DUE_REASON_DEADLINE, query, places));
    for (const v1::ConflictState state : kOpenStates) {
      const bool opening = state == v1::CONFLICT_STATE_OPENING;
      uncertain_.BindInt64(3, state);
      RETURN_IF_ERROR(ListOverdue(uncertain_,
                                  opening ? query.opening_before_ms : query.verified_before_ms,
                                  v1::DUE_REASON_UNCERTAIN, query, places));
    }
    KeepMostOverdue(query.limit, places.due);
    const sql::SqliteUse use(next_deadline_);
    next_deadline_.BindInt64(1, query.now_ms);
    ASSIGN_OR_RETURN(const bool found, next_deadline_.Step());
    if (found) places.next_deadline_ms = next_deadline_.Int64(0);
    return places;
  }

  absl::StatusOr<bool> Assign(const std::string& conflict_id, const std::string& user_id) override {
    absl::MutexLock lock(&mutex_);
    const sql::SqliteUse use(assign_);
    assign_.BindText(1, conflict_id);
    assign_.BindText(2, user_id);
    RETURN_IF_ERROR(assign_.Run());
    return database_->changes() > 0;
  }

  absl::StatusOr<bool> KeepChoices(const std::string& conflict_id, const std::string& were,
                                   const std::string& choices) override {
    absl::MutexLock lock(&mutex_);
    const sql::SqliteUse use(keep_choices_);
    keep_choices_.BindText(1, conflict_id);
    keep_choices_.BindBlob(2, choices);
    keep_choices_.BindBlob(3, were);
    RETURN_IF_ERROR(keep_choices_.Run());
    return database_->changes() > 0;
  }

  absl::StatusOr<int64_t> DeleteBefore(int64_t before_ms, int limit) override {
    absl::MutexLock lock(&mutex_);
    int64_t deleted = 0;
    for (sql::SqliteStatement* statement : {&delete_records_, &delete_conflicts_}) {
      const sql::SqliteUse use(*statement);
      statement->BindInt64(1, before_ms);
      statement->BindInt64(2, limit);
      RETURN_IF_ERROR(statement->Run());
      deleted += database_->changes();
    }
    return deleted;
  }

  absl::StatusOr<OpenCounts> CountOpen() override {
    absl::MutexLock lock(&mutex_);
    OpenCounts counts;
    for (size_t i = 0; i < counts.size(); ++i) {
      const sql::SqliteUse use(count_open_);
      count_open_.BindInt64(1, kOpenStates[i]);
      ASSIGN_OR_RETURN(const bool found, count_open_.Step());
      if (found) counts[i] = {count_open_.Int64(0), count_open_.Int64(1)};
    }
    return counts;
  }

 private:
  absl::Status ListState(const ConflictQuery& query, v1::ConflictState state,
                         std::vector<ConflictPlace>& page) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool of_type = !query.entity_type.empty();
    const bool of_entity = !query.entity_id.empty();
    const bool of_assignee = !query.assigned_to.empty() && !of_entity;
    sql::SqliteStatement& list = of_entity     ? list_entity_
                                 : of_assignee ? list_assignee_
                                 : of_type     ? list_type_
                                               : list_;
    const sql::SqliteUse use(list);
    list.BindText(1, query.space);
    list.BindInt64(2, state);
    list.BindInt64(3, query.before_ms);
    list.BindText(4, query.before_id);
    list.BindInt64(5, query.limit);
    if (of_type || of_assignee) list.BindText(6, query.entity_type);
    if (of_entity) list.BindText(7, query.entity_id);
    if (of_entity || of_assignee) list.BindText(8, query.assigned_to);
    while (true) {
      ASSIGN_OR_RETURN(const bool more, list.Step());
      if (!more) return absl::OkStatus();
      page.push_back({.conflict_id = std::string(list.Text(0)),
                      .opened_ms = list.Int64(1),
                      .bytes = static_cast<size_t>(list.Int64(2))});
    }
  }

  // Adds what was due at `before_ms` to `places`.
  static absl::Status ListOverdue(sql::SqliteStatement& list, int64_t before_ms,
                                  v1::DueReason reason, const DueQuery& query, DuePlaces& places) {
    const sql::SqliteUse use(list);
    list.BindInt64(1, before_ms);
    list.BindInt64(2, query.limit);
    while (true) {
      ASSIGN_OR_RETURN(const bool more, list.Step());
      if (!more) return absl::OkStatus();
      places.due.push_back({.conflict_id = std::string(list.Text(0)),
                            .reason = reason,
                            .overdue_ms = before_ms - list.Int64(1),
                            .bytes = static_cast<size_t>(list.Int64(2))});
    }
  }

  absl::Mutex mutex_;
  std::unique_ptr<sql::SqliteDatabase> database_ ABSL_GUARDED_BY(mutex_);
  SqliteRecordWriter writer_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement get_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement forget_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_type_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_entity_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement list_assignee_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement deadlines_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement uncertain_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement next_deadline_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement assign_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement keep_choices_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement count_open_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement delete_records_ ABSL_GUARDED_BY(mutex_);
  sql::SqliteStatement delete_conflicts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<DeskStorage>> OpenSqliteDeskStorage(absl::string_view path) {
  auto storage = std::make_unique<SqliteDeskStorage>();
  RETURN_IF_ERROR(storage->Open(path));
  return storage;
}

}  // namespace bdcsync::conflict
