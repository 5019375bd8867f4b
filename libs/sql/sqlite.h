// RAII over SQLite: a connection and prepared statements that answer in statuses. ALREADY_EXISTS is
// a unique violation, UNAVAILABLE a lock that did not come free or a full or failing disk,
// DATA_LOSS a damaged file, INTERNAL our own mistake. A connection and its statements belong to one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bdcsync::sql {

struct SqliteOptions {
  absl::Duration busy_timeout = absl::Seconds(5);  // Waits this long for another's lock.
  bool read_only = false;
  int64_t cache_bytes = 2 << 20;  // Pages kept in memory; others are read from the file each time.
  // The write-ahead log is brought into the file when it has so many bytes. The longer it may be,
  // the more writes of one page become one.
  int64_t log_bytes = 32 << 20;
};

// The path of a database that lives in memory and dies with its connection.
inline constexpr absl::string_view kSqliteMemory = ":memory:";

// Of a connection: what its page cache holds, and what it was asked since it was asked last.
struct SqlitePageCache {
  int64_t bytes = 0;
  int64_t hits = 0;
  int64_t misses = 0;  // Read from the file.
};

class SqliteStatement {
 public:
  SqliteStatement() = default;
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&& other) noexcept;
  ~SqliteStatement();

  // Parameters count from 1. Text and blobs are borrowed until the next Reset.
  void BindInt64(int index, int64_t value);
  void BindText(int index, absl::string_view value);
  void BindBlob(int index, absl::string_view value);
  void BindNull(int index);

  // Goes to the next row; false at the end.
  absl::StatusOr<bool> Step();
  // Runs a statement that returns no rows, and resets it.
  absl::Status Run();
  // Makes the statement ready for new parameters; drops the row.
  void Reset();

  // Columns of the row count from 0. Views are good until the next Step or Reset.
  bool IsNull(int column) const;
  int64_t Int64(int column) const;
  absl::string_view Text(int column) const;
  absl::string_view Blob(int column) const;

 private:
  friend class SqliteDatabase;
  explicit SqliteStatement(sqlite3_stmt* handle) : handle_(handle) {}
  sqlite3_stmt* handle_ = nullptr;
};

//   ASSIGN_OR_RETURN(auto db, SqliteDatabase::Open(path, SqliteOptions()));
//   ASSIGN_OR_RETURN(SqliteStatement find, db->Prepare("SELECT name FROM things WHERE id = ?1"));
//   find.BindInt64(1, 7);
//   ASSIGN_OR_RETURN(const bool found, find.Step());
//   if (found) Use(find.Text(0));
//   find.Reset();   // before the next use
class SqliteDatabase {
 public:
  // Opens or creates `path` with a write-ahead log and a flush on every commit.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(absl::string_view path,
                                                              const SqliteOptions& options);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  // Runs one or several statements without parameters.
  absl::Status Run(absl::string_view sql);
  // Begins to count again. No I/O.
  SqlitePageCache TakePageCache();
  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Runs `work` in a transaction that has the write lock from the start: commits when it returns
  // OK, else rolls back.
  absl::Status Transaction(absl::FunctionRef<absl::Status()> work);
  // Runs `work` on one unchanging snapshot; within a transaction as a part of it.
  absl::Status ReadTransaction(absl::FunctionRef<absl::Status()> work);
  // Defines a function of this connection's SQL: as many text arguments as `arguments`, a blob as
  // its value, always the same for the same arguments.
  using BlobFunction = std::string (*)(absl::Span<const absl::string_view> arguments);
  absl::Status DefineFunction(const char* name, int arguments, BlobFunction function);
  // Rows changed by the last statement.
  int64_t changes() const;

  // For transactions that outlive a call; some errors end one by rolling it back.
  bool in_transaction() const;
  // From here on a commit is not flushed: it survives a crash of the process, not of the machine,
  // until the next FlushLog. What is older is never damaged.
  absl::Status CommitWithoutFlush();
  // Whether pages that a transaction has changed may go into the log before it ends, when the cache
  // is full; else they stay in memory, however many. Between transactions.
  absl::Status SpillPages(bool may);
  // Commits so far are on disk when it returns OK. After an error another call proves nothing: the
  // system may have dropped what it was to flush. Brings a log of `log_bytes` into the file.
  absl::Status FlushLog();
  // Of the log after the latest commit, once commits are not flushed.
  int64_t log_bytes() const;
  // Writes all that the log holds into the file anew, flushed, and empties the log: also what the
  // system gives back when it is read, and was never able to flush.
  //   UNAVAILABLE  another connection reads what is older, or the disk fails.
  absl::Status EmptyLog();

 private:
  SqliteDatabase(sqlite3* handle, int64_t log_pages_max)
      : handle_(handle), log_pages_max_(log_pages_max) {}
  absl::Status InTransaction(const char* begin, absl::FunctionRef<absl::Status()> work);
  absl::Status SyncLog();
  sqlite3* handle_;
  const int64_t log_pages_max_;
  int64_t log_pages_ = 0;  // After the latest commit, once it is not flushed.
};

}  // namespace bdcsync::sql
