#include "services/version/head_cache.h"

#include <iterator>
#include <utility>

namespace bdcsync::version {

std::vector<HeadCache::Head> HeadCache::Find(absl::Span<const absl::string_view> keys) {
  std::vector<Head> found(keys.size());
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto place = places_.find(keys[i]);
    if (place == places_.end()) {
      ++stats_.misses;
      continue;
    }
    ++stats_.hits;
    const Entries::iterator entry = *place;
    entries_.splice(entries_.begin(), entries_, entry);
    found[i] = {entry->state, std::move(entry->trail)};
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
    Drop(std::prev(entries_.end()));
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
  if (place != places_.end()) Drop(*place);
}

void HeadCache::Drop(Entries::iterator entry) {
  stats_.bytes -= entry->bytes;
  places_.erase(entry);
  entries_.erase(entry);
}

void HeadCache::Set(const Update& update) {
  size_t bytes = kEntryBytes + update.key.size() + update.state->bytes();
  if (bytes > bytes_max_) {
    Forget(update.key);
    return;
  }
  std::shared_ptr<TextTrail> trail = update.trail;
  if (trail != nullptr && bytes + sizeof(TextTrail) + trail->bytes() > bytes_max_) trail = nullptr;
  if (trail != nullptr) bytes += sizeof(TextTrail) + trail->bytes();
  const Entries::iterator entry = *places_.lazy_emplace(update.key, [&](const auto& construct) {
    entries_.push_front({std::string(update.key), HashOfKey()(update.key)});
    construct(entries_.begin());
  });
  stats_.bytes += bytes - entry->bytes;
  entry->state = update.state;
  entry->trail = std::move(trail);
  entry->bytes = bytes;
  entries_.splice(entries_.begin(), entries_, entry);
}

}  // namespace bdcsync::version
