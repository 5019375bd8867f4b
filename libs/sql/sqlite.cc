#include "libs/sql/sqlite.h"

#include <sqlite3.h>

#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace bdcsync::sql {
namespace {

constexpr int64_t kPageBytes = 4096;  // SQLite's, unless a file was made otherwise.

// SQLite counts every byte it allocates, under a lock; nobody asks for the sum. To be said before
// its first use in the process, later it has no effect.
void StopCountingMemory() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

absl::Status ErrorOf(sqlite3* handle, int code, absl::string_view what) {
  const std::string message = absl::StrCat(
      "SQLite ", what, ": ", handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
  const int extended = handle != nullptr ? sqlite3_extended_errcode(handle) : code;
  if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return absl::AlreadyExistsError(message);
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return absl::UnavailableError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    default:
      return absl::InternalError(message);
  }
}

// Calls a BlobFunction for SQLite.
void CallFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  std::vector<absl::string_view> arguments;
  for (int i = 0; i < count; ++i) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[i]));
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[i]));
    arguments.emplace_back(text == nullptr ? "" : text, size);
  }
  const auto function =
      *static_cast<const SqliteDatabase::BlobFunction*>(sqlite3_user_data(context));
  const std::string blob = function(arguments);
  sqlite3_result_blob64(context, blob.data(), blob.size(), SQLITE_TRANSIENT);
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {}
SqliteStatement& SqliteStatement::operator=(SqliteStatement&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}
SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

void SqliteStatement::BindInt64(int index, int64_t value) {
  sqlite3_bind_int64(handle_, index, value);
}
void SqliteStatement::BindText(int index, absl::string_view value) {
  sqlite3_bind_text64(handle_, index, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}
void SqliteStatement::BindBlob(int index, absl::string_view value) {
  sqlite3_bind_blob64(handle_, index, value.empty() ? "" : value.data(), value.size(),
                      SQLITE_STATIC);
}
void SqliteStatement::BindNull(int index) { sqlite3_bind_null(handle_, index); }

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const absl::Status status = ErrorOf(sqlite3_db_handle(handle_), code, "step");
  sqlite3_reset(handle_);
  return status;
}

absl::Status SqliteStatement::Run() {
  const absl::StatusOr<bool> row = Step();
  Reset();
  return row.status();
}

void SqliteStatement::Reset() { sqlite3_reset(handle_); }

bool SqliteStatement::IsNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}
int64_t SqliteStatement::Int64(int column) const { return sqlite3_column_int64(handle_, column); }
absl::string_view SqliteStatement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return absl::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}
absl::string_view SqliteStatement::Blob(int column) const {
  const auto* blob = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return absl::string_view(blob, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(absl::string_view path,
                                                                     const SqliteOptions& options) {
  const int flags =
      (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
      SQLITE_OPEN_NOMUTEX;
  StopCountingMemory();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(std::string(path).c_str(), &handle, flags, nullptr);
  if (code != SQLITE_OK) {
    const absl::Status status = ErrorOf(handle, code, absl::StrCat("open ", path));
    sqlite3_close_v2(handle);
    return status;
  }
  const int64_t log_pages_max = options.log_bytes / kPageBytes;
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(handle, log_pages_max));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(absl::ToInt64Milliseconds(options.busy_timeout)));
  // Negative: KiB, not pages.
  RETURN_IF_ERROR(database->Run(absl::StrCat("PRAGMA cache_size = -", options.cache_bytes / 1024)));
  if (!options.read_only) {
    RETURN_IF_ERROR(database->Run("PRAGMA journal_mode = WAL"));
    RETURN_IF_ERROR(database->Run("PRAGMA synchronous = FULL"));
    RETURN_IF_ERROR(database->Run(absl::StrCat("PRAGMA wal_autocheckpoint = ", log_pages_max)));
  }
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close_v2(handle_); }

absl::Status SqliteDatabase::Run(absl::string_view sql) {
  const int code = sqlite3_exec(handle_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(handle_, code, "run");
  return absl::OkStatus();
}

absl::Status SqliteDatabase::DefineFunction(const char* name, int arguments,
                                            BlobFunction function) {
  const int code =
      sqlite3_create_function_v2(handle_, name, arguments, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                 new BlobFunction(function), CallFunction, nullptr, nullptr,
                                 [](void* owned) { delete static_cast<BlobFunction*>(owned); });
  if (code != SQLITE_OK) return ErrorOf(handle_, code, absl::StrCat("define ", name));
  return absl::OkStatus();
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(handle_, code, absl::StrCat("prepare ", sql));
  return SqliteStatement(statement);
}

SqlitePageCache SqliteDatabase::TakePageCache() {
  const auto value = [this](int what, int reset) {
    int now = 0;
    int highest = 0;
    sqlite3_db_status(handle_, what, &now, &highest, reset);
    return now;
  };
  return {.bytes = value(SQLITE_DBSTATUS_CACHE_USED, /*reset=*/0),
          .hits = value(SQLITE_DBSTATUS_CACHE_HIT, /*reset=*/1),
          .misses = value(SQLITE_DBSTATUS_CACHE_MISS, /*reset=*/1)};
}

absl::Status SqliteDatabase::Transaction(absl::FunctionRef<absl::Status()> work) {
  return InTransaction("BEGIN IMMEDIATE", work);
}
absl::Status SqliteDatabase::ReadTransaction(absl::FunctionRef<absl::Status()> work) {
  return in_transaction() ? work() : InTransaction("BEGIN", work);
}

absl::Status SqliteDatabase::InTransaction(const char* begin,
                                           absl::FunctionRef<absl::Status()> work) {
  RETURN_IF_ERROR(Run(begin));
  absl::Status status = work();
  if (status.ok()) status = Run("COMMIT");
  // Some errors have rolled back already; then there is nothing left to do.
  if (!status.ok() && in_transaction()) {
    const absl::Status rolled_back = Run("ROLLBACK");
    if (!rolled_back.ok()) return rolled_back;
  }
  return status;
}

bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::Status SqliteDatabase::CommitWithoutFlush() {
  // In place of SQLite's own, which begins a checkpoint within the commit, and keeps to itself that
  // the flush at its beginning failed: the next flush would then succeed for nothing.
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3* /*handle*/, const char* /*name*/, int pages) {
        static_cast<SqliteDatabase*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return Run("PRAGMA synchronous = NORMAL");
}

absl::Status SqliteDatabase::SpillPages(bool may) {
  return Run(may ? "PRAGMA cache_spill = ON" : "PRAGMA cache_spill = OFF");
}

absl::Status SqliteDatabase::SyncLog() {
  sqlite3_file* log = nullptr;
  const int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK) return ErrorOf(handle_, code, "find the log");
  // Not opened, or in memory.
  if (log == nullptr || log->pMethods == nullptr) return absl::OkStatus();
  const int flushed = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  if (flushed != SQLITE_OK) return ErrorOf(nullptr, flushed, "flush the log");
  return absl::OkStatus();
}

absl::Status SqliteDatabase::FlushLog() {
  RETURN_IF_ERROR(SyncLog());
  if (log_pages_ < log_pages_max_) return absl::OkStatus();
  // What fails stays in the log, and is tried again after the next flush.
  (void)sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return absl::OkStatus();
}

int64_t SqliteDatabase::log_bytes() const { return log_pages_ * kPageBytes; }

absl::Status SqliteDatabase::EmptyLog() {
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return ErrorOf(handle_, code, "empty the log");
  log_pages_ = 0;
  return SyncLog();
}

int64_t SqliteDatabase::changes() const { return sqlite3_changes64(handle_); }

}  // namespace bdcsync::sql
