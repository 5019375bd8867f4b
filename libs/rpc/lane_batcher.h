// Gathers items into batches without reordering a lane: send at once when idle, gather while
// batches are in flight. A lane is in at most one batch in flight, so its items stay in order end
// to end. Groups are never split. Queue, batch and flight are bounded. Thread-safe; `send` runs on
// the thread that submitted or finished, without a lock held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::rpc {

struct LaneBatcherLimits {
  std::size_t in_flight_max = 2;          // Batches sent and not done.
  std::size_t batch_items_max = 512;      // Items in a batch; one larger group goes alone.
  std::size_t batch_bytes_max = 4 << 20;  // Their bytes, by the `bytes` function.
  std::size_t queued_items_max = 65536;   // Items waiting; more are refused.
};

template <typename Item>
class LaneBatcher {
 public:
  using Done = absl::AnyInvocable<void()>;
  // Takes a batch; must run `done` exactly once, from any thread, when every item has its outcome.
  using Send = std::function<void(std::vector<Item> batch, Done done)>;
  using Bytes = std::function<std::size_t(const Item&)>;

  LaneBatcher(LaneBatcherLimits limits, Bytes bytes, Send send)
      : limits_(limits), bytes_(std::move(bytes)), send_(std::move(send)) {}
  LaneBatcher(const LaneBatcher&) = delete;
  LaneBatcher& operator=(const LaneBatcher&) = delete;

  // Queues one item behind everything submitted to `lane` before. False, with `item` untouched,
  // when the queue is full.
  [[nodiscard]] bool Submit(uint64_t lane, Item&& item) {
    std::vector<Item> group;
    group.push_back(std::move(item));
    if (SubmitGroup(lane, std::move(group))) return true;
    item = std::move(group.front());  // NOLINT(bugprone-use-after-move): untouched when refused.
    return false;
  }

  // Queues items that must travel in one batch. False, with `group` untouched, when the queue is
  // full.
  [[nodiscard]] bool SubmitGroup(uint64_t lane, std::vector<Item>&& group) {
    if (group.empty()) return true;
    {
      absl::MutexLock lock(&mutex_);
      if (queued_ + group.size() > limits_.queued_items_max) return false;
      queued_ += group.size();
      Lane& state = lanes_[lane];
      state.groups.push_back(std::move(group));
      if (!state.in_flight && state.groups.size() == 1) ready_.push_back(lane);
    }
    Pump();
    return true;
  }

  // Queues many groups, each behind its lane, before any batch is sent: an idle batcher takes them
  // together. False, with `groups` untouched, when they do not all fit.
  [[nodiscard]] bool SubmitGroups(std::vector<std::pair<uint64_t, std::vector<Item>>>&& groups) {
    std::size_t items = 0;
    for (const auto& [id, group] : groups) items += group.size();
    {
      absl::MutexLock lock(&mutex_);
      if (queued_ + items > limits_.queued_items_max) return false;
      queued_ += items;
      for (auto& [id, group] : groups) {
        if (group.empty()) continue;
        Lane& lane = lanes_[id];
        lane.groups.push_back(std::move(group));
        if (!lane.in_flight && lane.groups.size() == 1) ready_.push_back(id);
      }
    }
    Pump();
    return true;
  }

  // Items waiting for a batch.
  std::size_t queued() const {
    absl::MutexLock lock(&mutex_);
    return queued_;
  }
  // Batches sent and not done.
  std::size_t in_flight() const {
    absl::MutexLock lock(&mutex_);
    return in_flight_;
  }
  // Nothing waits and nothing is in flight.
  bool idle() const {
    absl::MutexLock lock(&mutex_);
    return queued_ == 0 && in_flight_ == 0;
  }

 private:
  struct Lane {
    absl::InlinedVector<std::vector<Item>, 1> groups;  // Usually one waits: it needs no memory.
    bool in_flight = false;
  };

  // Marks a Pump that is running on this thread, so that a `done` called within `send` does not
  // nest: a long queue of immediate answers would use up the stack.
  struct Pumping {
    const LaneBatcher* batcher;
    const Pumping* outer;
  };
  static inline thread_local const Pumping* pumping_ = nullptr;

  // Sends batches while there are ready lanes and room in flight.
  void Pump() {
    for (const Pumping* p = pumping_; p != nullptr; p = p->outer) {
      if (p->batcher == this) return;  // It looks again when its `send` returns.
    }
    const Pumping here{this, pumping_};
    pumping_ = &here;
    while (true) {
      std::vector<Item> batch;
      std::vector<uint64_t> lanes;
      {
        absl::MutexLock lock(&mutex_);
        if (in_flight_ >= limits_.in_flight_max || ready_.empty()) break;
        Collect(batch, lanes);
        ++in_flight_;
      }
      send_(std::move(batch), [this, lanes = std::move(lanes)] {
        Release(lanes);
        Pump();
      });
    }
    pumping_ = here.outer;
  }

  // Moves whole groups from ready lanes into `batch` until a limit is met; at least one group.
  void Collect(std::vector<Item>& batch, std::vector<uint64_t>& lanes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    batch.reserve(std::min(queued_, limits_.batch_items_max));
    std::size_t bytes = 0;
    while (!ready_.empty()) {
      const uint64_t id = ready_.front();
      Lane& lane = lanes_[id];
      std::size_t taken = 0;
      for (std::vector<Item>& group : lane.groups) {
        std::size_t group_bytes = 0;
        for (const Item& item : group) group_bytes += bytes_(item);
        const bool fits = batch.size() + group.size() <= limits_.batch_items_max &&
                          bytes + group_bytes <= limits_.batch_bytes_max;
        if (!batch.empty() && !fits) break;
        bytes += group_bytes;
        queued_ -= group.size();
        for (Item& item : group) batch.push_back(std::move(item));
        ++taken;
      }
      if (taken == 0) return;  // The batch is full; the lane stays first in line.
      lane.groups.erase(lane.groups.begin(),
                        lane.groups.begin() + static_cast<std::ptrdiff_t>(taken));
      ready_.pop_front();
      lane.in_flight = true;
      lanes.push_back(id);
    }
  }

  void Release(const std::vector<uint64_t>& lanes) {
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    for (const uint64_t id : lanes) {
      const auto lane = lanes_.find(id);
      lane->second.in_flight = false;
      if (lane->second.groups.empty()) {
        lanes_.erase(lane);
      } else {
        ready_.push_back(id);
      }
    }
  }

  const LaneBatcherLimits limits_;
  const Bytes bytes_;
  const Send send_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<uint64_t, Lane> lanes_ ABSL_GUARDED_BY(mutex_);
  std::deque<uint64_t> ready_ ABSL_GUARDED_BY(mutex_);
  std::size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::rpc
