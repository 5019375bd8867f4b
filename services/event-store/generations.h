// A map of bounded size that forgets what was put longest ago. Entries are in two generations; when
// the younger is full, the older is let go as a whole: forgetting one entry at a time would touch
// memory that nobody has used for long, which costs more than all else here. As thread-safe as a
// map: any number of Finds at once.
#pragma once

#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace bdcsync::event_store {

template <typename Key, typename Value>
class Generations {
 public:
  // `weight_max`: of all entries together, in the caller's unit.
  explicit Generations(std::size_t weight_max) : young_weight_max_(weight_max / 2) {}

  // The value of `key`, or nullptr; good until anything is changed.
  template <typename Name>
  const Value* Find(const Name& key) const {
    const auto young = young_.find(key);
    if (young != young_.end()) return &young->second;
    const auto old = old_.find(key);
    return old == old_.end() ? nullptr : &old->second;
  }

  // Begins to fetch what Find and Put of `key` will read: many keys at once come in the time of
  // one.
  template <typename Name>
  void Prefetch(const Name& key) const {
    young_.prefetch(key);
    if (!old_.empty()) old_.prefetch(key);
  }

  // `weight` is always the same for the same key.
  void Put(Key key, Value value, std::size_t weight) {
    if (!young_.insert_or_assign(std::move(key), std::move(value)).second) return;
    young_weight_ += weight;
    if (young_weight_ < young_weight_max_) return;
    old_ = std::move(young_);
    young_ = Entries();
    young_.reserve(old_.size());
    young_weight_ = 0;
  }

  // Visits all entries.
  template <typename Condition>
  void EraseIf(Condition condition) {
    const auto erased = [&condition](const auto& entry) { return condition(entry.second); };
    absl::erase_if(young_, erased);
    absl::erase_if(old_, erased);
  }

 private:
  using Entries = absl::flat_hash_map<Key, Value>;
  const std::size_t young_weight_max_;
  Entries young_;
  Entries old_;  // May have older values of what is in young_.
  std::size_t young_weight_ = 0;
};

}  // namespace bdcsync::event_store
