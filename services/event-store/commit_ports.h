// What the committer tells the world: commits to whoever follows the log, and how its work goes to
// whoever measures it. Implementations are called on the writers' threads and must not block.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bdcsync/event_store/v1/event_store.pb.h"

namespace bdcsync::event_store {

class CommitSink {
 public:
  virtual ~CommitSink() = default;
  // The events of one space that one commit appended, after they were answered. `commit` has the
  // events unless they are larger than kCommitEventBytesMax together.
  virtual void Committed(uint32_t log_id, const v1::SpaceCommit& commit) = 0;
};

class CommitObserver {
 public:
  virtual ~CommitObserver() = default;
  // A batch was answered: `appended` of its `items` were stored, after `elapsed` in the writer.
  virtual void BatchDone(int items, int appended, int duplicates, absl::Duration elapsed) = 0;
  // A batch was sent behind one that is not answered yet.
  virtual void SentAhead() = 0;
  // Another writer was faster on `logs` logs of a batch; they are tried again.
  virtual void RaceLost(int logs) = 0;
  // A batch got no answer from the storage.
  virtual void BatchFailed(const absl::Status& status) = 0;
  // A log's stored history is shorter than it was: it goes on with a new epoch.
  virtual void HistoryLost(uint32_t log_id) = 0;
};

}  // namespace bdcsync::event_store
