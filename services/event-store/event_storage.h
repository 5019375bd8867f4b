// The port between the event store and what keeps it: SQLite, PostgreSQL, or several PostgreSQL
// servers. Synchronous; call it from threads that may wait. Thread-safe. A read sees every commit
// that was answered before it began. Every method may also fail with UNAVAILABLE (no answer from
// the database: try again; a Commit may have been applied), DATA_LOSS (a damaged record) and
// INTERNAL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/base/ids.h"
#include "services/event-store/commit_line.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

class EventStorage {
 public:
  virtual ~EventStorage() = default;

  // Of pages of its file, where the storage keeps any; counts begin again with each call.
  struct PageCache {
    int64_t bytes = 0;
    int64_t hits = 0;
    int64_t misses = 0;
  };
  virtual std::optional<PageCache> TakePageCache() { return std::nullopt; }
  // A commit that a crash tore in the journal of a storage: it was not acknowledged, and never was.
  struct TornEnd {
    std::string path;
    int64_t offset = 0;
    int64_t bytes = 0;
  };
  // Of commits that are on disk in a journal and not yet in the storage's files, where it has one;
  // counts begin again with each call.
  struct Tail {
    int64_t events = 0;
    int64_t journal_bytes = 0;
    int64_t log_bytes = 0;        // Of SQLite's log, between the journal and the file.
    int64_t flushes_full = 0;     // Times that the tail went into the files, having met a limit,
    int64_t flushes_other = 0;    // and for other reasons.
    int64_t restores = 0;         // Times that it was lost and came back from the journal.
    std::optional<TornEnd> torn;  // Found at the start.
  };
  virtual std::optional<Tail> TakeTail() { return std::nullopt; }
  // Whether commits are taken, as far as can be known without one; reads may go on all the same.
  //   UNAVAILABLE  the disk is full, or the database allows reading only.
  virtual absl::Status CheckWritable() = 0;
  // How many logs the store has; those that this storage holds are in LoadLogs.
  virtual uint32_t log_count() const = 0;
  // Logs of one group, numbered from 0, fail together: those of one server.
  virtual uint32_t group_count() const { return 1; }
  virtual uint32_t group_of(uint32_t /*log_id*/) const { return 0; }
  // The head rows of `log_ids`, or of all logs if empty, in order of log.
  virtual absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids) = 0;
  // Starts a new history of a log whose history was lost; ABORTED if the head row is not
  // `expected`.
  virtual absl::Status ReplaceEpoch(const LogState& expected, uint64_t epoch) = 0;

  virtual absl::StatusOr<LookupResult> Lookup(const LookupRequest& request) = 0;
  // Writes the parts, each of another log; answers for each whether it was applied and is on disk.
  // False: the head row was not as expected, or a key was taken where another part was applied:
  // reload and plan again.
  //   ALREADY_EXISTS  an operation key or a name is taken; no part was applied: look up, plan
  //   again.
  virtual absl::StatusOr<std::vector<bool>> Commit(absl::Span<const LogWrite> writes) = 0;
  // A way in for one writer. The storage outlives it; `random`, of the ids of its commits, is
  // borrowed.
  virtual std::unique_ptr<CommitLine> OpenLine(Random& random);

  // Limits of bytes, here and in what reads ask for, count data only where it is asked for.
  // The latest event of each stream; unset for a stream without events. Of several servers one that
  // gives no answer leaves its heads `unavailable`, if another gives one.
  //   too_large  together they are larger than kHeadsBytesMax: ask for fewer.
  virtual absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                          bool with_data) = 0;
  // The events at `places`, in that order. Unset where there is none. The same limit of bytes.
  virtual absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places) = 0;
  virtual absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read) = 0;
  virtual absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read) = 0;
  virtual absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read) = 0;
  // The same; the epoch of a space is then 0.
  virtual absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces) = 0;

  // Keeps the snapshot if the stream has none of a higher revision.
  //   NOT_FOUND  the stream does not exist.
  virtual absl::Status PutSnapshot(const StreamName& stream, int64_t revision,
                                   absl::string_view data) = 0;
  // The stored snapshot if it is at or below `revision_max`, 0: any.
  //   NOT_FOUND  there is none.
  virtual absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max) = 0;

  // Forgets up to `rows_max` operation keys older than `before_ms`; returns how many. One call may
  // look at a part of them only, and the next one goes on there.
  virtual absl::StatusOr<int64_t> SweepOperations(int64_t before_ms, int64_t rows_max) = 0;
};

// How a storage is made. Each adapter's Open makes what is missing and refuses
// (FAILED_PRECONDITION) a store that was created with other numbers than are said.
struct EventStorageOptions {
  // Of the whole store; 0: as it was created, a new one with kNewStoreLogCount.
  uint32_t log_count = 0;
  uint32_t first_log = 0;  // Those held here: first_log ≤ id < end_log; 0, 0: all.
  uint32_t end_log = 0;
};

}  // namespace bdcsync::event_store
