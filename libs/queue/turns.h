// Whose turn it is in a queue: items that share a key come one after another in the order of their
// ids, each not before it is due. Each step costs what the item's own keys cost, however many items
// wait. Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace bdcsync::queue {

class Turns {
 public:
  // `id` waits, due at once, behind smaller ids and before larger ones that have one of its keys.
  // `keys` has each once.
  void Add(int64_t id, std::vector<uint64_t> keys);
  // `id` is gone, whether it waited or was taken.
  void Remove(int64_t id);
  // Those that are due and behind nobody, which nobody has taken; the smallest first. Times are
  // those of one clock that never goes back.
  const absl::btree_set<int64_t>& Ready(absl::Duration now);
  // Of one that is ready: it keeps its place, so that nobody passes it, and is not ready.
  void Take(int64_t id);
  // Of one that was taken: it waits again.
  void Return(int64_t id, absl::Duration due);
  // When the next one is ready; infinite when none will be before another one goes.
  absl::Duration NextReady() const;
  // What waits after `id` under one of `keys`, and after that in turn under any key of its own; the
  // smallest first. What was taken does not wait: it came before, when it had nobody before it.
  std::vector<int64_t> Behind(int64_t id, absl::Span<const uint64_t> keys) const;

 private:
  struct Entry {
    std::vector<uint64_t> keys;
    size_t behind = 0;   // Of its keys, those that a smaller id has.
    absl::Duration due;  // Ready then at the earliest.
    bool taken = false;
  };

  // Of one that waits and is behind nobody: it is ready, now or later.
  void Admit(int64_t id, const Entry& entry);
  void Dismiss(int64_t id, const Entry& entry);
  // The entry was the first under a key and is not any more, or the other way round.
  void StepBack(int64_t id);
  void StepForward(int64_t id);

  absl::flat_hash_map<int64_t, Entry> entries_;
  absl::flat_hash_map<uint64_t, std::deque<int64_t>> keys_;  // Who has the key, in order.
  // Who waits and is behind nobody is in one of these.
  absl::btree_set<int64_t> ready_;
  absl::btree_set<std::pair<absl::Duration, int64_t>> later_;  // By when they are due.
};

}  // namespace bdcsync::queue
