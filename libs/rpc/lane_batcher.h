// Gathers items into batches without reordering a lane: send at once when idle, gather while
// batches are in flight; another one goes out beside them when it is worth the trip. What is
// submitted together is a group: it holds one lane or several, is never split, and is in flight
// only when no other batch in flight holds one of its lanes, so that items of a lane stay in order
// end to end. Queue, batch and flight are bounded. Thread-safe; `send` runs on the thread that
// submitted or finished, without a lock held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
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
  // A batch joins others in flight when it is full, or has at least this part, in percent, of the
  // items that they have on average: small batches cost more than waiting. 0: it joins at once.
  std::size_t join_percent = 0;
};

template <typename Item>
class LaneBatcher {
 public:
  using Lanes = absl::InlinedVector<uint64_t, 1>;
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
    if (SubmitGroup({lane}, std::move(group))) return true;
    item = std::move(group.front());  // NOLINT(bugprone-use-after-move): untouched when refused.
    return false;
  }

  // Queues items that must travel in one batch behind everything submitted to any of `lanes`
  // before. False, with `group` untouched, when the queue is full.
  [[nodiscard]] bool SubmitGroup(Lanes lanes, std::vector<Item>&& group) {
    if (group.empty()) return true;
    {
      absl::MutexLock lock(&mutex_);
      if (queued_ + group.size() > limits_.queued_items_max) return false;
      Add(std::move(lanes), std::move(group));
      if (!MaySend()) return true;
    }
    Pump();
    return true;
  }

  // Queues many groups, each behind its lane or lanes, before any batch is sent: an idle batcher
  // takes them together. False, with `groups` untouched, when they do not all fit. `Key` is Lanes,
  // or uint64_t for one lane.
  template <typename Key>
  [[nodiscard]] bool SubmitGroups(std::vector<std::pair<Key, std::vector<Item>>>&& groups) {
    std::size_t items = 0;
    for (const auto& [key, group] : groups) items += group.size();
    {
      absl::MutexLock lock(&mutex_);
      if (queued_ + items > limits_.queued_items_max) return false;
      for (auto& [key, group] : groups) {
        if (!group.empty()) Add(LanesOf(std::move(key)), std::move(group));
      }
      if (!MaySend()) return true;
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
  struct Group;
  // The place of a group in one of its lanes.
  struct Place {
    uint64_t lane;
    Group* next;  // Behind it in the lane.
  };
  struct Group {
    std::vector<Item> items;
    absl::InlinedVector<Place, 1> places;
    std::size_t behind = 0;  // Lanes in which another group is before it.
    bool sent = false;
  };
  struct Batch {
    std::vector<Item> items;
    std::vector<Group*> groups;
    std::size_t bytes = 0;
  };

  // Marks a Pump that is running on this thread, so that a `done` called within `send` does not
  // nest: a long queue of immediate answers would use up the stack.
  struct Pumping {
    const LaneBatcher* batcher;
    const Pumping* outer;
  };
  static inline thread_local const Pumping* pumping_ = nullptr;

  static Lanes LanesOf(uint64_t lane) { return {lane}; }
  static Lanes LanesOf(Lanes lanes) { return lanes; }

  void Add(Lanes lanes, std::vector<Item> items) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (lanes.size() > 1) {
      std::sort(lanes.begin(), lanes.end());
      lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
    }
    if (free_.empty()) free_.push_back(&groups_.emplace_back());
    Group& group = *free_.back();
    free_.pop_back();
    queued_ += items.size();
    group.items = std::move(items);
    for (const uint64_t lane : lanes) group.places.push_back({lane, nullptr});
    for (Place& place : group.places) {
      const auto [last, is_first] = last_.try_emplace(place.lane, &place);
      if (is_first) continue;
      last->second->next = &group;
      last->second = &place;
      ++group.behind;
    }
    if (group.behind == 0) MakeReady(group);
  }

  void MakeReady(Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ready_items_ += group.items.size();
    ready_.push_back(&group);
  }

  bool MaySend() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ready_.empty() || in_flight_ >= limits_.in_flight_max) return false;
    return in_flight_ == 0 || ready_items_ >= limits_.batch_items_max ||
           ready_items_ * in_flight_ * 100 >= in_flight_items_ * limits_.join_percent;
  }

  // Sends batches while they may be sent.
  void Pump() {
    for (const Pumping* p = pumping_; p != nullptr; p = p->outer) {
      if (p->batcher == this) return;  // It looks again when its `send` returns.
    }
    const Pumping here{this, pumping_};
    pumping_ = &here;
    while (true) {
      Batch batch;
      {
        absl::MutexLock lock(&mutex_);
        if (!MaySend()) break;
        Collect(batch);
        ++in_flight_;
        in_flight_items_ += batch.items.size();
      }
      const std::size_t items = batch.items.size();
      send_(std::move(batch.items), [this, items, groups = std::move(batch.groups)] {
        Release(items, groups);
        Pump();
      });
    }
    pumping_ = here.outer;
  }

  // Moves whole groups into `batch` until a limit is met: those that are ready, at least one, and
  // those that follow them in their lanes.
  void Collect(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    batch.items.reserve(std::min(ready_items_, limits_.batch_items_max));
    std::vector<Group*> followers;
    std::size_t followed = 0;  // Groups of the batch whose followers were looked at.
    while (!ready_.empty()) {
      Group& group = *ready_.front();
      const std::size_t items = group.items.size();
      if (!Take(group, batch)) break;  // The batch is full; the group stays first in line.
      ready_.pop_front();
      ready_items_ -= items;
      if (!TakeFollowers(batch, followed, followers)) break;
    }
    for (Group* follower : followers) {
      if (!follower->sent) ++follower->behind;
    }
  }

  // Takes what is now behind no other group than those of the batch. False when one does not fit.
  // Whose place in a lane was taken off its count is added to `followers`.
  bool TakeFollowers(Batch& batch, std::size_t& followed, std::vector<Group*>& followers)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (; followed < batch.groups.size(); ++followed) {
      for (const Place& place : batch.groups[followed]->places) {
        if (place.next == nullptr) continue;
        followers.push_back(place.next);
        if (--place.next->behind == 0 && !Take(*place.next, batch)) return false;
      }
    }
    return true;
  }

  bool Take(Group& group, Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::size_t bytes = 0;
    for (const Item& item : group.items) bytes += bytes_(item);
    const bool fits = batch.items.size() + group.items.size() <= limits_.batch_items_max &&
                      batch.bytes + bytes <= limits_.batch_bytes_max;
    if (!batch.items.empty() && !fits) return false;
    batch.bytes += bytes;
    queued_ -= group.items.size();
    for (Item& item : group.items) batch.items.push_back(std::move(item));
    std::vector<Item>().swap(group.items);
    group.sent = true;
    batch.groups.push_back(&group);
    return true;
  }

  void Release(std::size_t items, const std::vector<Group*>& groups) {
    absl::MutexLock lock(&mutex_);
    --in_flight_;
    in_flight_items_ -= items;
    for (Group* group : groups) {
      for (const Place& place : group->places) {
        if (place.next == nullptr) {
          last_.erase(place.lane);
        } else if (!place.next->sent && --place.next->behind == 0) {
          MakeReady(*place.next);
        }
      }
    }
    for (Group* group : groups) {
      group->places.clear();
      group->sent = false;
      free_.push_back(group);
    }
  }

  const LaneBatcherLimits limits_;
  const Bytes bytes_;
  const Send send_;
  mutable absl::Mutex mutex_;
  std::deque<Group> groups_ ABSL_GUARDED_BY(mutex_);  // As many as there ever were at once.
  std::vector<Group*> free_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Place*> last_ ABSL_GUARDED_BY(mutex_);  // By lane.
  std::deque<Group*> ready_ ABSL_GUARDED_BY(mutex_);                    // Behind none; in order.
  std::size_t ready_items_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t in_flight_items_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::rpc
