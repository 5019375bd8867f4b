#include "services/event-store/metrics.h"

#include "services/event-store/commit_feed.h"
#include "services/event-store/committer.h"

namespace bdcsync::event_store {
namespace {

constexpr absl::Duration kWarningInterval = absl::Seconds(5);
constexpr metrics::MetricInfo kPageReads{"bdcsync_event_store_sqlite_page_reads_total",
                                         "Pages that SQLite's writer used, by where they were."};
constexpr metrics::MetricInfo kTailFlushes{
    "bdcsync_event_store_sqlite_tail_flushes_total",
    "Times that commits of the journal went into SQLite's files; full: at a limit of the tail."};

}  // namespace

Metrics::Metrics(metrics::Registry& registry, const log::Logger& logger, const Clock& clock)
    : registry_(registry),
      logger_(logger),
      throttle_(clock, kWarningInterval),
      batch_items_(registry.AddHistogram(
          {"bdcsync_event_store_batch_items", "Items that a writer answered in one go."},
          metrics::SizeBuckets())),
      batch_seconds_(registry.AddHistogram(
          {"bdcsync_event_store_batch_seconds", "Time from taking a batch to its answers."},
          metrics::LatencyBuckets())),
      appended_events_(registry.AddCounter(
          {"bdcsync_event_store_appended_events_total", "Events that were stored."})),
      duplicate_items_(registry.AddCounter({"bdcsync_event_store_duplicate_items_total",
                                            "Items whose op_id had been stored before."})),
      refused_items_(registry.AddCounter({"bdcsync_event_store_refused_items_total",
                                          "Items that did not apply to what was stored."})),
      sent_ahead_(registry.AddCounter(
          {"bdcsync_event_store_batches_sent_ahead_total",
           "Batches that PostgreSQL was given while it worked on the one before them."})),
      lost_races_(registry.AddCounter({"bdcsync_event_store_lost_races_total",
                                       "Commits of a log that another replica was ahead of."})),
      failed_batches_(registry.AddCounter({"bdcsync_event_store_failed_batches_total",
                                           "Batches that got no answer from the storage."})),
      lost_histories_(registry.AddCounter(
          {"bdcsync_event_store_lost_histories_total",
           "Logs that went on with a new epoch because stored events were gone."})),
      swept_operations_(registry.AddCounter({"bdcsync_event_store_swept_operations_total",
                                             "Operation keys forgotten after the window."})),
      page_cache_bytes_(registry.AddGauge(
          {"bdcsync_event_store_sqlite_page_cache_bytes",
           "Pages that SQLite's writer keeps in memory, by event_store.sqlite_cache_bytes."})),
      page_cache_hits_(registry.AddCounter(kPageReads, {{"from", "memory"}})),
      page_cache_misses_(registry.AddCounter(kPageReads, {{"from", "file"}})),
      tail_events_(registry.AddGauge(
          {"bdcsync_event_store_sqlite_tail_events",
           "Events that are in the journal and not yet in SQLite's files; 32768 at most."})),
      tail_journal_bytes_(registry.AddGauge(
          {"bdcsync_event_store_sqlite_tail_journal_bytes",
           "The journal's length; from 16 MiB on it is brought into SQLite's files."})),
      sqlite_log_bytes_(registry.AddGauge(
          {"bdcsync_event_store_sqlite_log_bytes",
           "SQLite's write-ahead log; from 32 MiB on it is brought into the file."})),
      tail_flushes_full_(registry.AddCounter(kTailFlushes, {{"cause", "full"}})),
      tail_flushes_other_(registry.AddCounter(kTailFlushes, {{"cause", "other"}})),
      tail_restores_(registry.AddCounter(
          {"bdcsync_event_store_sqlite_tail_restores_total",
           "Times that commits were rolled back with a refused one, or by a failing disk, and came "
           "back from the journal."})) {}

void Metrics::PagesUsed(const EventStorage::PageCache& cache) {
  page_cache_bytes_.Set(static_cast<double>(cache.bytes));
  page_cache_hits_.Add(static_cast<double>(cache.hits));
  page_cache_misses_.Add(static_cast<double>(cache.misses));
}

void Metrics::TailWas(const EventStorage::Tail& tail) {
  tail_events_.Set(static_cast<double>(tail.events));
  tail_journal_bytes_.Set(static_cast<double>(tail.journal_bytes));
  sqlite_log_bytes_.Set(static_cast<double>(tail.log_bytes));
  tail_flushes_full_.Add(static_cast<double>(tail.flushes_full));
  tail_flushes_other_.Add(static_cast<double>(tail.flushes_other));
  tail_restores_.Add(static_cast<double>(tail.restores));
  if (tail.torn.has_value()) {
    logger_.Warn(
        "the journal ends in a record that is not whole, as a crash leaves it before it is "
        "acknowledged; it was dropped",
        {{"file", tail.torn->path}, {"offset", tail.torn->offset}, {"bytes", tail.torn->bytes}});
  }
}

void Metrics::Watch(const Committer& committer, const CommitFeed& feed) {
  registry_.AddGaugeCallback({"bdcsync_event_store_queue_items", "Items that wait for a writer."},
                             {}, [&committer] { return static_cast<double>(committer.queued()); });
  registry_.AddGaugeCallback(
      {"bdcsync_event_store_planned_batches", "Batches that are decided and not yet committed."},
      {}, [&committer] { return static_cast<double>(committer.planned()); });
  registry_.AddCounterCallback(
      {"bdcsync_event_store_cache_hits_total", "Stream heads found in memory."}, {},
      [&committer] { return static_cast<double>(committer.cache_hits()); });
  registry_.AddCounterCallback(
      {"bdcsync_event_store_cache_misses_total", "Stream heads not found in memory."}, {},
      [&committer] { return static_cast<double>(committer.cache_misses()); });
  registry_.AddGaugeCallback(
      {"bdcsync_event_store_subscriptions", "Subscribe calls that are open."}, {},
      [&feed] { return static_cast<double>(feed.listeners()); });
}

void Metrics::BatchDone(int items, int appended, int duplicates, absl::Duration elapsed) {
  batch_items_.Observe(items);
  batch_seconds_.Observe(elapsed);
  appended_events_.Add(appended);
  if (duplicates > 0) duplicate_items_.Add(duplicates);
  if (items > appended + duplicates) refused_items_.Add(items - appended - duplicates);
}

void Metrics::SentAhead() { sent_ahead_.Add(1); }
void Metrics::RaceLost(int logs) { lost_races_.Add(logs); }

void Metrics::BatchFailed(const absl::Status& status) {
  failed_batches_.Add();
  if (const auto held_back = throttle_.Allow(); held_back.has_value()) {
    logger_.Warn("the storage gave no answer to a commit",
                 {{"error", status.message()}, {"held_back", *held_back}});
  }
}

void Metrics::HistoryLost(uint32_t log_id) {
  lost_histories_.Add();
  logger_.Error("stored events are gone; the log goes on with a new epoch", {{"log_id", log_id}});
}

void Metrics::Swept(int64_t operations) { swept_operations_.Add(static_cast<double>(operations)); }

void Metrics::StorageChecked(const absl::Status& status) {
  if (status.ok()) return;
  if (const auto held_back = throttle_.Allow(); held_back.has_value()) {
    logger_.Warn("the storage does not answer",
                 {{"error", status.message()}, {"held_back", *held_back}});
  }
}

}  // namespace bdcsync::event_store
