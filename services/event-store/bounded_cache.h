// A map of bounded size that forgets what was not used for longest. Not thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace bdcsync::event_store {

template <typename Value>
class BoundedCache {
 public:
  explicit BoundedCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // The value of `key`, or nullptr; good until the next Put or Erase.
  Value* Find(absl::string_view key) {
    const auto found = index_.find(key);
    if (found == index_.end()) {
      misses_.fetch_add(1, std::memory_order_relaxed);
      return nullptr;
    }
    hits_.fetch_add(1, std::memory_order_relaxed);
    order_.splice(order_.begin(), order_, found->second);
    return &found->second->second;
  }

  void Put(absl::string_view key, Value value) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      found->second->second = std::move(value);
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.emplace_front(std::string(key.data(), key.size()), std::move(value));
    index_.emplace(absl::string_view(order_.front().first), order_.begin());
    bytes_ += BytesOf(order_.front().first);
    while (bytes_ > bytes_max_ && order_.size() > 1) Remove(std::prev(order_.end()));
  }

  // Forgets every key that starts with `prefix`. Visits all entries.
  void ErasePrefix(absl::string_view prefix) {
    for (auto entry = order_.begin(); entry != order_.end();) {
      const auto next = std::next(entry);
      if (absl::string_view(entry->first).substr(0, prefix.size()) == prefix) Remove(entry);
      entry = next;
    }
  }

  std::size_t size() const { return order_.size(); }
  std::size_t bytes() const { return bytes_; }
  // These two from any thread.
  uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }
  uint64_t misses() const { return misses_.load(std::memory_order_relaxed); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;
  // List node, index slot and allocator's share, about.
  static constexpr std::size_t kEntryOverheadBytes = 96;

  static std::size_t BytesOf(const std::string& key) {
    return key.size() + sizeof(Value) + kEntryOverheadBytes;
  }
  void Remove(typename Entries::iterator entry) {
    bytes_ -= BytesOf(entry->first);
    index_.erase(absl::string_view(entry->first));
    order_.erase(entry);
  }

  const std::size_t bytes_max_;
  Entries order_;  // The most recently used first.
  absl::flat_hash_map<absl::string_view, typename Entries::iterator> index_;
  std::size_t bytes_ = 0;
  std::atomic<uint64_t> hits_{0};
  std::atomic<uint64_t> misses_{0};
};

}  // namespace bdcsync::event_store
