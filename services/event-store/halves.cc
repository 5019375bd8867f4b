#include "services/event-store/halves.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"

namespace bdcsync::event_store {
namespace {

struct LogSize {
  uint32_t log_id;
  std::size_t items;
};

// The logs in `items`, the largest first.
std::vector<LogSize> SizesOf(const ItemsOfLogs& items) {
  absl::flat_hash_map<uint32_t, std::size_t> counts;
  for (const auto& [log_id, pending] : items) ++counts[log_id];
  std::vector<LogSize> sizes;
  sizes.reserve(counts.size());
  for (const auto& [log_id, count] : counts) sizes.push_back({log_id, count});
  std::sort(sizes.begin(), sizes.end(), [](const LogSize& a, const LogSize& b) {
    return a.items != b.items ? a.items > b.items : a.log_id < b.log_id;
  });
  return sizes;
}

}  // namespace

std::optional<std::array<ItemsOfLogs, 2>> InHalves(ItemsOfLogs& items) {
  if (items.size() < kHalvedItemsMin) return std::nullopt;
  std::array<std::size_t, 2> sizes{};
  absl::flat_hash_map<uint32_t, std::size_t> half_of_log;
  for (const LogSize& log : SizesOf(items)) {
    const std::size_t half = sizes[1] < sizes[0] ? 1 : 0;
    half_of_log[log.log_id] = half;
    sizes[half] += log.items;
  }
  if (std::min(sizes[0], sizes[1]) < kHalfItemsMin) return std::nullopt;
  std::array<ItemsOfLogs, 2> halves;
  for (std::size_t half = 0; half < halves.size(); ++half) halves[half].reserve(sizes[half]);
  for (auto& item : items) halves[half_of_log[item.first]].push_back(std::move(item));
  items.clear();
  return halves;
}

}  // namespace bdcsync::event_store
