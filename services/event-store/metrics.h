// What event-store measures beside the calls themselves, which the gRPC server counts. Thread-safe.
#pragma once

#include "libs/base/clock.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "services/event-store/commit_ports.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

class CommitFeed;
class Committer;

// Also logs what an operator should see.
class Metrics final : public CommitObserver {
 public:
  // All are borrowed.
  Metrics(metrics::Registry& registry, const log::Logger& logger, const Clock& clock);

  // Adds what is asked when metrics are rendered; both must outlive the last rendering.
  void Watch(const Committer& committer, const CommitFeed& feed);

  void BatchDone(int items, int appended, int duplicates, absl::Duration elapsed) override;
  void SentAhead() override;
  void RaceLost(int logs) override;
  void BatchFailed(const absl::Status& status) override;
  void HistoryLost(uint32_t log_id) override;
  void Swept(int64_t operations);
  // Since the call before.
  void PagesUsed(const EventStorage::PageCache& cache);
  void TailWas(const EventStorage::Tail& tail);
  // The storage was asked whether it is there.
  void StorageChecked(const absl::Status& status);

 private:
  metrics::Registry& registry_;
  const log::Logger logger_;
  log::Throttle throttle_;
  metrics::Histogram& batch_items_;
  metrics::Histogram& batch_seconds_;
  metrics::Counter& appended_events_;
  metrics::Counter& duplicate_items_;
  metrics::Counter& refused_items_;
  metrics::Counter& sent_ahead_;
  metrics::Counter& lost_races_;
  metrics::Counter& failed_batches_;
  metrics::Counter& lost_histories_;
  metrics::Counter& swept_operations_;
  metrics::Gauge& page_cache_bytes_;
  metrics::Counter& page_cache_hits_;
  metrics::Counter& page_cache_misses_;
  metrics::Gauge& tail_events_;
  metrics::Gauge& tail_journal_bytes_;
  metrics::Gauge& sqlite_log_bytes_;
  metrics::Counter& tail_flushes_full_;
  metrics::Counter& tail_flushes_other_;
  metrics::Counter& tail_restores_;
};

}  // namespace bdcsync::event_store
