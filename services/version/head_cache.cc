#include "services/version/head_cache.h"

#include <utility>

namespace bdcsync::version {

std::vector<StatePtr> HeadCache::Find(absl::Span<const absl::string_view> keys) {
  std::vector<StatePtr> found(keys.size());
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto place = places_.find(keys[i]);
    if (place == places_.end()) {
      ++stats_.misses;
      continue;
    }
    ++stats_.hits;
    entries_.splice(entries_.begin(), entries_, place->second);
    found[i] = place->second->state;
  }
  return found;
}

void HeadCache::Apply(absl::Span<const Update> updates) {
  absl::MutexLock lock(&mutex_);
  for (const Update& update : updates) {
    if (update.state == nullptr) {
      Forget(update.key);
    } else {
      Set(update);
    }
  }
  while (stats_.bytes > bytes_max_) {
    ++stats_.evictions;
    Forget(entries_.back().key);
  }
}

HeadCache::Stats HeadCache::stats() const {
  absl::MutexLock lock(&mutex_);
  Stats stats = stats_;
  stats.entries = entries_.size();
  return stats;
}

void HeadCache::Forget(absl::string_view key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  const Entries::iterator entry = place->second;
  stats_.bytes -= entry->bytes;
  places_.erase(place);
  entries_.erase(entry);
}

void HeadCache::Set(const Update& update) {
  const size_t bytes = kEntryBytes + update.key.size() + update.state->bytes();
  if (bytes > bytes_max_) {
    Forget(update.key);
    return;
  }
  const auto place = places_.find(update.key);
  if (place == places_.end()) {
    entries_.push_front({std::string(update.key), update.state, bytes});
    places_.emplace(entries_.front().key, entries_.begin());
  } else {
    Entry& entry = *place->second;
    stats_.bytes -= entry.bytes;
    entry.state = update.state;
    entry.bytes = bytes;
    entries_.splice(entries_.begin(), entries_, place->second);
  }
  stats_.bytes += bytes;
}

}  // namespace bdcsync::version
