#include "libs/queue/turns.h"

#include <algorithm>

namespace bdcsync::queue {

void Turns::Add(int64_t id, std::vector<uint64_t> keys) {
  Entry& entry = entries_[id];
  entry.keys = std::move(keys);
  for (const uint64_t key : entry.keys) {
    std::deque<int64_t>& ids = keys_[key];
    const auto place = std::lower_bound(ids.begin(), ids.end(), id);
    if (place != ids.begin()) {
      ++entry.behind;
    } else if (!ids.empty()) {
      StepBack(ids.front());
    }
    ids.insert(place, id);
  }
  Admit(id, entry);
}

void Turns::Remove(int64_t id) {
  const auto entry = entries_.find(id);
  Dismiss(id, entry->second);
  for (const uint64_t key : entry->second.keys) {
    const auto found = keys_.find(key);
    std::deque<int64_t>& ids = found->second;
    const auto place = std::lower_bound(ids.begin(), ids.end(), id);
    const bool first = place == ids.begin();
    ids.erase(place);
    if (ids.empty()) {
      keys_.erase(found);
    } else if (first) {
      StepForward(ids.front());
    }
  }
  entries_.erase(entry);
}

const absl::btree_set<int64_t>& Turns::Ready(absl::Duration now) {
  while (!later_.empty() && later_.begin()->first <= now) {
    ready_.insert(later_.begin()->second);
    later_.erase(later_.begin());
  }
  return ready_;
}

void Turns::Take(int64_t id) {
  entries_.find(id)->second.taken = true;
  ready_.erase(id);
}

void Turns::Return(int64_t id, absl::Duration due) {
  Entry& entry = entries_.find(id)->second;
  entry.taken = false;
  entry.due = due;
  Admit(id, entry);
}

absl::Duration Turns::NextReady() const {
  if (!ready_.empty()) return -absl::InfiniteDuration();
  return later_.empty() ? absl::InfiniteDuration() : later_.begin()->first;
}

std::vector<int64_t> Turns::Behind(int64_t id, absl::Span<const uint64_t> keys) const {
  absl::btree_set<int64_t> next;
  const auto add_after = [&](int64_t before, absl::Span<const uint64_t> stopped) {
    for (const uint64_t key : stopped) {
      const auto ids = keys_.find(key);
      if (ids == keys_.end()) continue;
      auto after = std::upper_bound(ids->second.begin(), ids->second.end(), before);
      while (after != ids->second.end() && entries_.find(*after)->second.taken) ++after;
      if (after != ids->second.end()) next.insert(*after);
    }
  };
  std::vector<int64_t> behind;
  for (add_after(id, keys); !next.empty(); next.erase(next.begin())) {
    behind.push_back(*next.begin());
    add_after(behind.back(), entries_.find(behind.back())->second.keys);
  }
  return behind;
}

void Turns::Admit(int64_t id, const Entry& entry) {
  if (entry.taken || entry.behind > 0) return;
  later_.emplace(entry.due, id);
}

void Turns::Dismiss(int64_t id, const Entry& entry) {
  if (ready_.erase(id) == 0) later_.erase({entry.due, id});
}

void Turns::StepBack(int64_t id) {
  Entry& entry = entries_.find(id)->second;
  if (++entry.behind == 1) Dismiss(id, entry);
}

void Turns::StepForward(int64_t id) {
  Entry& entry = entries_.find(id)->second;
  if (--entry.behind == 0) Admit(id, entry);
}

}  // namespace bdcsync::queue
