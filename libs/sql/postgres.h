// A bounded pool of PostgreSQL connections over libpqxx. Exceptions stop here; every failure is a
// status: UNAVAILABLE (the server gave no answer: the statement may or may not have been applied;
// or it allows reading only), ABORTED (serialization failure or deadlock: nothing was applied, run
// it again), ALREADY_EXISTS (unique violation), RESOURCE_EXHAUSTED (no connection came free in
// time), INTERNAL (our SQL is wrong). Thread-safe; sessions belong to the call that got them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/timed_cond_var.h"
#include "libs/sql/connect_backoff.h"
#include "libs/sql/postgres_params.h"

namespace bdcsync::sql {

struct PostgresOptions {
  std::string url;                  // A libpq URL or keyword string.
  std::string schema;               // The search_path of every connection; made by migrations.
  std::size_t connections_max = 8;  // Open at once; callers beyond wait.
  absl::Duration acquire_timeout = absl::Seconds(5);
  absl::Duration connect_timeout = absl::Seconds(5);
  absl::Duration statement_timeout = absl::Seconds(30);
  // After a failed connect every call fails at once for this long, doubling up to the maximum.
  absl::Duration backoff_min = absl::Milliseconds(50);
  absl::Duration backoff_max = absl::Seconds(2);
};

// A statement that each connection prepares on first use. One name, one text.
struct PostgresStatement {
  const char* name;
  const char* text;
};

// The rows of an answer. Accessors want a row and column that exist.
class PostgresResult {
 public:
  // As a driver has them.
  class Rows {
   public:
    virtual ~Rows() = default;
    virtual int size() const = 0;
    virtual int64_t affected() const = 0;
    virtual bool IsNull(int row, int column) const = 0;
    virtual absl::string_view Text(int row, int column) const = 0;
  };
  explicit PostgresResult(std::shared_ptr<const Rows> rows)
      : rows_(std::move(rows)), size_(rows_->size()) {}

  int size() const { return size_; }
  // Rows that the statement inserted, changed or deleted.
  int64_t affected() const { return rows_->affected(); }
  bool IsNull(int row, int column) const { return rows_->IsNull(row, column); }
  // As the server wrote it; empty for NULL.
  absl::string_view Text(int row, int column) const { return rows_->Text(row, column); }
  int64_t Int64(int row, int column) const;  // 0 for NULL.
  bool Bool(int row, int column) const { return Text(row, column) == "t"; }
  std::string Bytes(int row, int column) const;  // Of a bytea; empty for NULL.

 private:
  std::shared_ptr<const Rows> rows_;  // Shared: copies must be cheap.
  int size_ = 0;
};

// One connection inside a transaction.
class PostgresSession {
 public:
  virtual ~PostgresSession() = default;
  virtual absl::StatusOr<PostgresResult> Execute(const PostgresStatement& statement,
                                                 const PostgresParams& params) = 0;
  // Runs SQL that is not prepared: schema files, or a query without parameters.
  virtual absl::StatusOr<PostgresResult> Run(absl::string_view sql) = 0;
};

//   constexpr PostgresStatement kFind{
//       "find", "SELECT name FROM things WHERE id = ANY($1::int8[])"};
//   PostgresArray ids(PostgresArray::kInt64);
//   ids.AddInt64(7);
//   PostgresParams params;
//   params.Add(std::move(ids));
//   ASSIGN_OR_RETURN(PostgresResult rows, pool.Execute(kFind, params));  // One round trip.
//   for (int row = 0; row < rows.size(); ++row) Use(rows.Text(row, 0));
class PostgresPool {
 public:
  // Connects on first use only. `clock` is borrowed.
  PostgresPool(PostgresOptions options, const Clock& clock);
  ~PostgresPool();
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  // Runs one statement that commits by itself: one round trip.
  absl::StatusOr<PostgresResult> Execute(const PostgresStatement& statement,
                                         const PostgresParams& params);
  // Runs SQL outside a transaction block, unprepared.
  absl::StatusOr<PostgresResult> Run(absl::string_view sql);
  // Runs `work` in a transaction (READ COMMITTED): commits when it returns OK, else rolls back.
  // When the commit itself fails with UNAVAILABLE, nobody knows whether it was applied.
  absl::Status Transaction(absl::FunctionRef<absl::Status(PostgresSession&)> work);

  const PostgresOptions& options() const { return options_; }

 private:
  struct Connection;
  absl::StatusOr<std::unique_ptr<Connection>> Acquire();
  absl::StatusOr<std::unique_ptr<Connection>> Connect();
  void Release(std::unique_ptr<Connection> connection);
  absl::Status With(absl::FunctionRef<void(Connection&)> work);

  const PostgresOptions options_;
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
  std::size_t open_ ABSL_GUARDED_BY(mutex_) = 0;  // Idle, lent or being made.
  TimedCondVar freed_;                            // One is idle, or one more may be made.
  ConnectBackoff backoff_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::sql
