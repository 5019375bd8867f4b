// The one thread of this process that writes certain logs. It takes batches, decides them in memory
// (BatchPlan), commits them with a compare-and-set per log, answers, and tells the sink. A log that
// another replica wrote meanwhile is read up and tried again. Submit is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/rpc/lane_batcher.h"
#include "services/event-store/append_call.h"
#include "services/event-store/batch_plan.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/log_cache.h"

namespace bdcsync::event_store {

struct LogWriterLimits {
  rpc::LaneBatcherLimits batches{.in_flight_max = 1};
  LogCacheLimits cache;
};

class LogWriter {
 public:
  using Item = std::pair<uint32_t, PendingItem>;  // With its log.
  using Groups = std::vector<std::pair<uint64_t, std::vector<Item>>>;

  // All but `limits` are borrowed.
  LogWriter(EventStorage& storage, const Clock& clock, Random& random, CommitSink& sink,
            CommitObserver& observer, const LogWriterLimits& limits);
  // Finishes what was submitted.
  ~LogWriter();

  // Takes groups that each belong to one log. False, with `groups` untouched: the queue is full.
  [[nodiscard]] bool Submit(Groups&& groups) { return batches_.SubmitGroups(std::move(groups)); }
  std::size_t queued() const { return batches_.queued(); }
  bool idle() const { return batches_.idle(); }
  uint64_t cache_hits() const { return cache_.hits(); }
  uint64_t cache_misses() const { return cache_.misses(); }

 private:
  using Items = std::vector<Item>;
  using Done = rpc::LaneBatcher<Item>::Done;
  struct Batch {
    Items items;
    Done done;
  };

  void Run();
  void Write(Items items);
  // Settles what it can of `items` and leaves in it what must be tried again.
  absl::Status Attempt(Items& items);
  absl::Status RefreshLogs(const Items& items);
  absl::Status Refresh(LogState fresh);
  absl::Status CatchUp(const LogState& known, const LogState& fresh);
  absl::Status Decide(BatchPlan& plan);
  // Which logs of the plan, in their order, are settled; the others were written by another.
  absl::StatusOr<std::vector<bool>> Commit(BatchPlan& plan);
  absl::Status CheckUnwritten(BatchPlan& plan, std::vector<bool>& settled);
  void Settle(BatchPlan& plan, const std::vector<bool>& settled, Items& again);
  void Fail(const Items& items, const absl::Status& status);
  void Pause(int attempt);

  EventStorage& storage_;
  const Clock& clock_;
  Random& random_;
  CommitSink& sink_;
  CommitObserver& observer_;

  // Of the thread only.
  LogCache cache_;
  absl::flat_hash_set<uint32_t> stale_;  // Logs whose head row may have moved.

  absl::Mutex mutex_;
  std::optional<Batch> batch_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  rpc::LaneBatcher<Item> batches_;
  std::thread thread_;
};

}  // namespace bdcsync::event_store
