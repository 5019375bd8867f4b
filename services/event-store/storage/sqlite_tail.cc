#include "services/event-store/storage/sqlite_tail.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/event-store/storage/commit_record.h"

namespace bdcsync::event_store {

absl::StatusOr<std::unique_ptr<SqliteTail>> SqliteTail::Create(sql::SqliteDatabase& database,
                                                               SqliteWriter& writer,
                                                               SqliteReader& reader,
                                                               Journal* journal,
                                                               const SqliteTailLimits& limits) {
  std::unique_ptr<SqliteTail> tail(new SqliteTail(database, writer, reader, journal, limits));
  RETURN_IF_ERROR(tail->Prepare());
  if (journal == nullptr) return tail;
  RETURN_IF_ERROR(database.CommitWithoutFlush());
  RETURN_IF_ERROR(tail->Replay());
  ASSIGN_OR_RETURN(const Journal::End end, journal->CheckEnd([&tail](absl::string_view record) {
    return tail->IsMissing(record);
  }));
  if (end.torn_bytes > 0) {
    tail->counts_.torn = EventStorage::TornEnd{end.path, end.offset, end.torn_bytes};
  }
  RETURN_IF_ERROR(tail->Publish());
  if (journal->records() == 0) return tail;
  // The process before this one may have ended since a flush failed: what it left in the log can be
  // read and is perhaps not on disk, where another flush would not bring it.
  RETURN_IF_ERROR(database.EmptyLog());
  RETURN_IF_ERROR(tail->Flush());
  return tail;
}

absl::Status SqliteTail::Prepare() {
  const std::pair<sql::SqliteStatement&, const char*> statements[] = {
      {begin_, "BEGIN IMMEDIATE"},
      {commit_, "COMMIT"},
      {rollback_, "ROLLBACK"},
  };
  for (const auto& [statement, text] : statements) {
    ASSIGN_OR_RETURN(statement, database_.Prepare(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<bool>> SqliteTail::Commit(absl::Span<const LogWrite> writes) {
  RETURN_IF_ERROR(Restore());
  RETURN_IF_ERROR(blocked_);
  RETURN_IF_ERROR(Begin());
  absl::StatusOr<std::vector<bool>> applied = writer_.Apply(writes);
  absl::Status status = applied.status();
  if (status.ok()) status = Record(writes, *applied);
  if (!status.ok()) {
    lost_ = true;  // With what was done of this commit.
    return status;
  }
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if ((*applied)[i]) events_ += static_cast<int64_t>(writes[i].events.size());
  }
  if (journal_ == nullptr) {
    RETURN_IF_ERROR(Publish());
  } else if (full()) {
    // The commit is on disk all the same; what is wrong comes back when the next one restores.
    Settle().IgnoreError();
  }
  return applied;
}

absl::Status SqliteTail::Record(absl::Span<const LogWrite> writes,
                                const std::vector<bool>& applied) {
  const bool any = std::find(applied.begin(), applied.end(), true) != applied.end();
  if (journal_ == nullptr || !any) return absl::OkStatus();
  return journal_->Append(EncodeCommit(writes, applied));
}

absl::Status SqliteTail::Begin() {
  if (open_) return absl::OkStatus();
  RETURN_IF_ERROR(begin_.Run());
  open_ = true;
  return absl::OkStatus();
}

bool SqliteTail::full() const {
  return events_ >= limits_.events_max || journal_->bytes() >= limits_.journal_bytes_max;
}

EventStorage::Tail SqliteTail::Take() {
  EventStorage::Tail taken = std::exchange(counts_, EventStorage::Tail());
  taken.events = events_;
  taken.journal_bytes = journal_ == nullptr ? 0 : journal_->bytes();
  taken.log_bytes = database_.log_bytes();
  return taken;
}

absl::Status SqliteTail::Restore() {
  RETURN_IF_ERROR(broken_);
  // Some errors of SQLite roll back by themselves, also those of a read on this connection.
  if (open_ != database_.in_transaction()) lost_ = true;
  if (!lost_) return absl::OkStatus();
  RETURN_IF_ERROR(BringBack());
  ++counts_.restores;
  // The next one to be lost has little to bring back.
  if (blocked_.ok() && Settle().ok()) return absl::OkStatus();
  RETURN_IF_ERROR(broken_);
  return lost_ ? BringBack() : absl::OkStatus();
}

absl::Status SqliteTail::BringBack() {
  if (database_.in_transaction()) RETURN_IF_ERROR(rollback_.Run());
  open_ = false;
  // Where there is no room for the commits there is none for pages on their way.
  RETURN_IF_ERROR(database_.SpillPages(blocked_.ok()));
  if (journal_ != nullptr) RETURN_IF_ERROR(Replay());
  lost_ = false;
  return absl::OkStatus();
}

absl::Status SqliteTail::Replay() {
  RETURN_IF_ERROR(Begin());
  absl::Status status =
      journal_->Replay([this](absl::string_view record) { return ReplayRecord(record); });
  if (!status.ok()) lost_ = true;
  return status;
}

absl::Status SqliteTail::ReplayRecord(absl::string_view record) {
  ASSIGN_OR_RETURN(const std::vector<LogWrite> writes, DecodeCommit(record));
  ASSIGN_OR_RETURN(const std::vector<bool> applied, writer_.Apply(writes));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (applied[i]) continue;
    // It was settled before the crash, or the log has another history now.
    ASSIGN_OR_RETURN(const LogState log, reader_.LoadLog(writes[i].log_id));
    if (log.epoch != writes[i].epoch || log.next_position >= writes[i].next_position) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("log ", log.log_id, " ends at ", log.next_position - 1,
                     " and its journal goes on after ", writes[i].position - 1,
                     ": an older copy of the store was put back and the journal was "
                     "not removed"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteTail::IsMissing(absl::string_view record) {
  ASSIGN_OR_RETURN(const std::vector<LogWrite> writes, DecodeCommit(record));
  for (const LogWrite& write : writes) {
    ASSIGN_OR_RETURN(const LogState log, reader_.LoadLog(write.log_id));
    if (log.epoch == write.epoch && log.next_position < write.next_position) return true;
  }
  return false;
}

absl::Status SqliteTail::Publish() {
  RETURN_IF_ERROR(Restore());
  if (!open_) return absl::OkStatus();
  absl::Status status = commit_.Run();
  lost_ = !status.ok();
  open_ = lost_;
  if (journal_ == nullptr || status == blocked_) return status;
  blocked_ = status;
  if (!lost_) RETURN_IF_ERROR(database_.SpillPages(true));
  return status;
}

absl::Status SqliteTail::Flush() {
  broken_ = database_.FlushLog();
  RETURN_IF_ERROR(broken_);
  ++(full() ? counts_.flushes_full : counts_.flushes_other);
  journal_->Restart();
  events_ = 0;
  settled_ = true;
  return absl::OkStatus();
}

absl::Status SqliteTail::Settle() {
  RETURN_IF_ERROR(Publish());
  if (journal_ == nullptr || journal_->records() == 0) return absl::OkStatus();
  return Flush();
}

absl::Status SqliteTail::SettleAged() {
  absl::Status status = settled_ ? absl::OkStatus() : Settle();
  settled_ = false;
  return status;
}

absl::Status SqliteTail::RunSettled(absl::FunctionRef<absl::Status()> work) {
  RETURN_IF_ERROR(Publish());
  RETURN_IF_ERROR(database_.Transaction(work));
  return journal_ == nullptr ? absl::OkStatus() : Flush();
}

}  // namespace bdcsync::event_store
