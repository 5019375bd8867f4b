// The latest commits of a store in a SQLite file. They are applied at once, but in one transaction
// that stays open over many of them, since most of what SQLite writes is whole pages, and commits
// that follow each other change the same ones. Until that transaction has ended and is flushed, the
// journal keeps them: a commit costs one short write and flush. Other connections see a commit
// after Publish. A commit that is refused takes the whole transaction with it, which then comes
// back from the journal: that is rare, and a savepoint for each commit would copy every page that
// it changes. While the disk is full commits are refused; what was answered stays in memory, where
// its own connection reads it. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/sql/sqlite.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/storage/journal.h"
#include "services/event-store/storage/sqlite_reader.h"
#include "services/event-store/storage/sqlite_writer.h"

namespace bdcsync::event_store {

struct SqliteTailLimits {
  int64_t events_max = 32768;            // Then the transaction ends, and the journal begins again.
  int64_t journal_bytes_max = 16 << 20;  // The same.
};

class SqliteTail {
 public:
  // All are borrowed, and work on `database`. Without a journal, in memory, every commit is a
  // transaction of its own.
  //   FAILED_PRECONDITION  the journal does not follow what is in the database.
  //   DATA_LOSS            the journal is damaged.
  static absl::StatusOr<std::unique_ptr<SqliteTail>> Create(sql::SqliteDatabase& database,
                                                            SqliteWriter& writer,
                                                            SqliteReader& reader, Journal* journal,
                                                            const SqliteTailLimits& limits);

  // EventStorage::Commit. Fails with blocked() until a Publish succeeds.
  absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes);
  // Makes sure that the database, as its own connection sees it, holds every commit: brings back
  // what a refused one took with it.
  absl::Status Restore();
  // Lets other connections see every commit.
  absl::Status Publish();
  // Brings every commit into SQLite's files, flushed, and begins the journal again.
  absl::Status Settle();
  // The same, unless that was done since the call before: called on an interval, it ends no
  // transaction that has just begun, and leaves no commit in the journal for longer than two.
  absl::Status SettleAged();
  // Runs other work than commits after all of them; on disk when it returns OK.
  absl::Status RunSettled(absl::FunctionRef<absl::Status()> work);

  // How much there is, and what was done since the call before.
  EventStorage::Tail Take();
  // Whether there are commits that other connections do not see.
  bool hidden() const { return lost_ || open_; }
  // Why the latest commits cannot get into SQLite's files; OK: they can, as far as is known.
  const absl::Status& blocked() const { return blocked_; }

 private:
  SqliteTail(sql::SqliteDatabase& database, SqliteWriter& writer, SqliteReader& reader,
             Journal* journal, const SqliteTailLimits& limits)
      : database_(database), writer_(writer), reader_(reader), journal_(journal), limits_(limits) {}
  absl::Status Prepare();
  absl::Status Begin();
  // Lets the transaction hold every commit again.
  absl::Status BringBack();
  bool full() const;
  // What is published is in SQLite's files; the journal begins again.
  absl::Status Flush();
  absl::Status Record(absl::Span<const LogWrite> writes, const std::vector<bool>& applied);
  absl::Status Replay();
  absl::Status ReplayRecord(absl::string_view record);
  // Whether a record of the journal holds what the database does not.
  absl::StatusOr<bool> IsMissing(absl::string_view record);

  sql::SqliteDatabase& database_;
  SqliteWriter& writer_;
  SqliteReader& reader_;
  Journal* const journal_;
  const SqliteTailLimits limits_;
  sql::SqliteStatement begin_;
  sql::SqliteStatement commit_;
  sql::SqliteStatement rollback_;
  int64_t events_ = 0;    // In the journal.
  bool settled_ = false;  // Since the last SettleAged.
  bool open_ = false;     // The transaction was begun and not ended by us.
  EventStorage::Tail counts_;
  bool lost_ = false;  // The transaction is gone; the journal has what it held.
  // A flush failed. The system may not have what it was to flush any more, so that another flush
  // proves nothing: only a new start, from the journal, does.
  absl::Status broken_;
  absl::Status blocked_;  // Of the last Publish.
};

}  // namespace bdcsync::event_store
