// Sees to it that no conflict waits for ever: takes the fallbacks of those whose deadline has
// passed, and has those compared with the log of which the records are not certain. Every gateway
// runs one; that each conflict is closed once is the log's promise, not the workers'. Start, Stop
// and idle may be called on any thread, all else lives on the loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "services/gateway/desk/conflict_ports.h"
#include "services/gateway/desk/worker_metrics.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

struct ConflictWorkerOptions {
  absl::Duration interval = absl::Seconds(2);       // gateway.conflict_check_interval
  absl::Duration jitter = absl::Milliseconds(250);  // gateway.conflict_check_jitter
  int32_t conflicts_per_round_max = 200;            // gateway.conflicts_per_round_max
};

class ConflictWorker {
 public:
  struct Dependencies {
    ConflictRecords& records;
    ConflictVersions& versions;
    Loop& loop;
    const Clock& clock;
    Random& random;
    const log::Logger& logger;
    ConflictWorkerMetrics& metrics;
  };

  // What the dependencies refer to is borrowed; destroyed when no call can come back any more.
  ConflictWorker(Dependencies dependencies, ConflictWorkerOptions options);

  // The first round comes within the jitter; there is never more than one.
  void Start();
  // No call is made from here on; one that is under way is brought to its end.
  void Stop();
  // No call is under way.
  bool idle() const { return !calling_.load(); }

 private:
  struct Call {
    size_t replica = 0;
    size_t asked = 0;  // Replicas, in vain.
    version::v1::CloseConflictsRequest request;
  };
  struct Round {
    std::deque<Call> calls;
    bool full = false;  // There may be more.
    int64_t next_deadline_ms = 0;
    int done = 0;  // Conflicts that are due no more.
    int failed = 0;
  };

  void WakeAfter(absl::Duration delay);
  void Begin();
  void OnDue(const absl::StatusOr<conflict::v1::ListDueResponse>& due);
  void CloseNext();
  void OnClosed(const absl::StatusOr<version::v1::CloseConflictsResponse>& closed, Call call);
  void Count(const version::v1::CloseResult& result);
  void Fail(int conflicts, absl::string_view why);
  void End();
  // Makes a callback for any thread that runs `then(argument)` on the loop while this exists.
  template <typename Then>
  auto OnLoop(Then then);

  const Dependencies to_;
  const ConflictWorkerOptions options_;
  const std::shared_ptr<bool> alive_;  // Shared with what is posted.
  std::atomic<bool> calling_{false};
  std::atomic<bool> stopped_{false};
  TimerId timer_ = kNoTimer;
  Round round_;
};

}  // namespace bdcsync::gateway
