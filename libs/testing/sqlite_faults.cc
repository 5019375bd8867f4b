#include "libs/testing/sqlite_faults.h"

#include <sqlite3.h>

#include <atomic>
#include <mutex>
#include <utility>

namespace bdcsync::testing {
namespace {

constexpr char kName[] = "faults";

// One file system and one of SQLite's kinds of files: a process has no more.
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs faulty_vfs;
const sqlite3_io_methods* real_methods = nullptr;
sqlite3_io_methods log_methods;
sqlite3_io_methods file_methods;
std::atomic<int> failing_reads = 0;
std::atomic<int> failing_log_flushes = 0;
std::atomic<bool> log_full = false;
std::mutex flushes_mutex;
std::string flushes;

bool Fails(std::atomic<int>& counter) {
  int left = counter.load();
  while (left > 0) {
    if (counter.compare_exchange_weak(left, left - 1)) return true;
  }
  return false;
}

void Note(const char* flush) {
  const std::lock_guard<std::mutex> lock(flushes_mutex);
  if (!flushes.empty()) flushes += ',';
  flushes += flush;
}

int Read(sqlite3_file* file, void* data, int bytes, sqlite3_int64 offset) {
  if (Fails(failing_reads)) return SQLITE_IOERR_READ;
  return real_methods->xRead(file, data, bytes, offset);
}

int WriteLog(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  if (log_full.load()) return SQLITE_FULL;
  return real_methods->xWrite(file, data, bytes, offset);
}

int SyncLog(sqlite3_file* file, int flags) {
  Note("log");
  if (Fails(failing_log_flushes)) return SQLITE_IOERR_FSYNC;
  return real_methods->xSync(file, flags);
}

int SyncFile(sqlite3_file* file, int flags) {
  Note("file");
  return real_methods->xSync(file, flags);
}

int Open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
  const bool is_file = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  if (code != SQLITE_OK || (!is_log && !is_file)) return code;
  real_methods = file->pMethods;
  sqlite3_io_methods& methods = is_log ? log_methods : file_methods;
  methods = *real_methods;
  methods.xRead = Read;
  if (is_log) methods.xWrite = WriteLog;
  methods.xSync = is_log ? SyncLog : SyncFile;
  file->pMethods = &methods;
  return code;
}

}  // namespace

SqliteFaults::SqliteFaults() {
  real_vfs = sqlite3_vfs_find(nullptr);
  faulty_vfs = *real_vfs;
  faulty_vfs.zName = kName;
  faulty_vfs.xOpen = Open;
  sqlite3_vfs_register(&faulty_vfs, /*makeDflt=*/1);
}

SqliteFaults::~SqliteFaults() {
  failing_reads = 0;
  failing_log_flushes = 0;
  log_full = false;
  TakeFlushes();
  sqlite3_vfs_unregister(&faulty_vfs);
  sqlite3_vfs_register(real_vfs, /*makeDflt=*/1);
}

void SqliteFaults::FailReads(int count) { failing_reads = count; }

void SqliteFaults::FailLogFlushes(int count) { failing_log_flushes = count; }

void SqliteFaults::SetLogFull(bool full) { log_full = full; }

std::string SqliteFaults::TakeFlushes() {
  const std::lock_guard<std::mutex> lock(flushes_mutex);
  return std::exchange(flushes, std::string());
}

}  // namespace bdcsync::testing
