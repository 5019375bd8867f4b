// An event store with everything around it, in this process, on a storage that the test gives. For
// tests. Thread-safe as EventStore is.
#pragma once

#include <atomic>
#include <memory>

#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "services/event-store/committer.h"
#include "services/event-store/event_store.h"

namespace bdcsync::event_store {

// Counts what the committer tells.
class CountingObserver final : public CommitObserver {
 public:
  void BatchDone(int items, int appended, int duplicates, absl::Duration elapsed) override {
    appended_ += appended;
    duplicates_ += duplicates;
  }
  void SentAhead() override { ++sent_ahead_; }
  void RaceLost(int logs) override { races_lost_ += logs; }
  void BatchFailed(const absl::Status& status) override { ++failed_; }
  void HistoryLost(uint32_t log_id) override { ++histories_lost_; }

  std::atomic<int> appended_{0};
  std::atomic<int> duplicates_{0};
  std::atomic<int> sent_ahead_{0};
  std::atomic<int> races_lost_{0};
  std::atomic<int> failed_{0};
  std::atomic<int> histories_lost_{0};
};

class IgnoringSink final : public CommitSink {
 public:
  void Committed(uint32_t log_id, const v1::SpaceCommit& commit) override {}
};

// One replica.
class TestStore {
 public:
  TestStore(EventStorage& storage, const Clock& clock, CommitSink& sink, int writers,
            std::size_t batch_items_max, bool halves = false)
      : committer_(storage, clock, random_, sink, observer_,
                   Options(writers, batch_items_max, halves)),
        store_(storage, committer_) {}
  EventStore& store() { return store_; }
  CountingObserver& observer() { return observer_; }
  const Committer& committer() const { return committer_; }

 private:
  static CommitterOptions Options(int writers, std::size_t batch_items_max, bool halves) {
    CommitterOptions options;
    options.writers = writers;
    options.writer.batches.batch_items_max = batch_items_max;
    options.writer.halves = halves;
    return options;
  }
  SystemRandom random_;
  CountingObserver observer_;
  Committer committer_;
  EventStore store_;
};

// An item for stream `stream` of `space` that expects nothing; change what a test needs.
inline v1::AppendItem ItemFor(const std::string& space, const std::string& stream,
                              const std::string& data) {
  v1::AppendItem item;
  item.mutable_stream()->set_space(space);
  item.mutable_stream()->set_name(stream);
  item.set_kind(v1::STREAM_KIND_ENTITY);
  item.mutable_expected()->set_any(true);
  item.set_data(data);
  return item;
}

}  // namespace bdcsync::event_store
