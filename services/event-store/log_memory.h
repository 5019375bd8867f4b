// What one writer remembers of its logs (LogCache), and which of it may be behind: another replica
// may have written, or a commit was not answered. Refresh reads that up. Const methods may run at
// once, as those of a container.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "libs/base/ids.h"
#include "services/event-store/batch_plan.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"
#include "services/event-store/log_cache.h"

namespace bdcsync::event_store {

class LogMemory {
 public:
  // All but `limits` are borrowed.
  LogMemory(EventStorage& storage, Random& random, CommitObserver& observer,
            const LogCacheLimits& limits)
      : storage_(storage), random_(random), observer_(observer), cache_(limits) {}

  const LogCache& cache() const { return cache_; }
  // Whether the head rows of the items' logs are known, and moved by nobody else that is known of.
  bool Knows(const ItemsOfLogs& items) const;
  // Reads until it Knows them.
  absl::Status Refresh(const ItemsOfLogs& items);
  // The head row of the log may have moved.
  void Doubt(uint32_t log_id) { stale_.insert(log_id); }

  // Keeps what the plan leaves in those of its logs that are `stored`.
  void Remember(const BatchPlan& plan, const std::vector<bool>& stored);
  // What was remembered of the plan's logs is wrong.
  void Forget(const BatchPlan& plan);
  // What the plan left in a log is not stored: the head row is as it was before.
  void TakeBack(const BatchPlan::Log& log);

 private:
  absl::Status Take(LogState fresh);
  absl::Status CatchUp(const LogState& known, const LogState& fresh);

  EventStorage& storage_;
  Random& random_;
  CommitObserver& observer_;
  LogCache cache_;
  absl::flat_hash_set<uint32_t> stale_;  // Logs whose head row may have moved.
};

}  // namespace bdcsync::event_store
