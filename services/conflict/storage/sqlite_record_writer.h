// Writes records and conflicts with one SQLite connection, within the caller's transaction: for
// whoever decides and for whoever is told what the log holds. Belongs to one thread at a time.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/sql/sqlite.h"

namespace bdcsync::conflict {

class SqliteRecordWriter {
 public:
  // `database` must outlive the writer.
  absl::Status Prepare(sql::SqliteDatabase& database);

  absl::Status Put(const v1::Resolution& resolution);
  // The record of a closing, as the log tells of it.
  absl::Status PutClosing(v1::Resolution closing);
  // A conflict that a decision opens, in place of the operation's record.
  absl::Status Open(const v1::Conflict& conflict);
  // A conflict as the log holds it.
  absl::Status Hold(const v1::Conflict& conflict, int64_t now_ms);

 private:
  sql::SqliteStatement put_;
  sql::SqliteStatement closing_;
  sql::SqliteStatement drop_record_;
  sql::SqliteStatement open_;
  sql::SqliteStatement hold_;
};

}  // namespace bdcsync::conflict
