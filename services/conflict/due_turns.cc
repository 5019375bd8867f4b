#include "services/conflict/due_turns.h"

#include <algorithm>
#include <utility>

namespace bdcsync::conflict {
namespace {

struct Turn {
  int64_t told = 0;
  size_t place = 0;  // The most overdue first.
};

}  // namespace

int DueTurns::PlacesToRead(int limit) const {
  size_t told = 0;
  {
    absl::MutexLock lock(&mutex_);
    told = told_.size();
  }
  const auto stepped_over_max = static_cast<size_t>(stepped_over_max_);
  if (told > stepped_over_max && on_too_many_) on_too_many_();
  return limit + static_cast<int>(std::min(told, stepped_over_max));
}

void DueTurns::Cut(int limit, std::vector<DuePlace>& places) {
  std::vector<Turn> turns;
  turns.reserve(places.size());
  {
    absl::MutexLock lock(&mutex_);
    absl::flat_hash_map<std::string, int64_t> still_due;
    for (const DuePlace& place : places) {
      const auto told = told_.find(place.conflict_id);
      turns.push_back({told == told_.end() ? 0 : told->second, turns.size()});
      if (told != told_.end()) still_due.insert(*told);
    }
    told_ = std::move(still_due);
  }
  const auto kept = std::min(places.size(), static_cast<size_t>(limit));
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) { return a.told < b.told; });
  turns.resize(kept);
  std::sort(turns.begin(), turns.end(),
            [](const Turn& a, const Turn& b) { return a.place < b.place; });
  for (size_t i = 0; i < kept; ++i) {
    if (turns[i].place != i) places[i] = std::move(places[turns[i].place]);
  }
  places.resize(kept);
}

void DueTurns::Told(const std::vector<DuePlace>& places) {
  absl::MutexLock lock(&mutex_);
  for (const DuePlace& place : places) ++told_[place.conflict_id];
}

}  // namespace bdcsync::conflict
