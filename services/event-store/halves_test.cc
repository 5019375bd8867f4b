#include "services/event-store/halves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace bdcsync::event_store {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// As many items of logs 0, 1, 2… as `counts` says, taking turns; an item's index is its number.
ItemsOfLogs ItemsOf(std::vector<int> counts) {
  ItemsOfLogs items;
  for (bool more = true; more;) {
    more = false;
    for (uint32_t log_id = 0; log_id < counts.size(); ++log_id) {
      if (counts[log_id]-- <= 0) continue;
      items.emplace_back(log_id, PendingItem{nullptr, static_cast<int>(items.size())});
      more = true;
    }
  }
  return items;
}

std::vector<std::size_t> SizesOf(const std::vector<int>& counts) {
  ItemsOfLogs items = ItemsOf(counts);
  const auto halves = InHalves(items);
  if (!halves.has_value()) return {items.size()};
  return {(*halves)[0].size(), (*halves)[1].size()};
}

TEST(HalvesTest, LogsAreDividedByTheirItems) {
  EXPECT_THAT(SizesOf({100, 100}), UnorderedElementsAre(100, 100));
  EXPECT_THAT(SizesOf({50, 50, 100}), UnorderedElementsAre(100, 100));
  EXPECT_THAT(SizesOf({50, 100, 100, 50}), UnorderedElementsAre(150, 150));
  EXPECT_THAT(SizesOf({40, 120, 80}), UnorderedElementsAre(120, 120));
}

TEST(HalvesTest, ALogIsInOneHalfAndItsItemsStayInOrder) {
  ItemsOfLogs items = ItemsOf({70, 30, 60, 20, 50});
  const std::size_t count = items.size();
  const auto halves = InHalves(items);
  ASSERT_TRUE(halves.has_value());
  std::map<uint32_t, std::size_t> half_of_log;
  std::map<uint32_t, int> last;
  for (std::size_t half = 0; half < 2; ++half) {
    for (const auto& [log_id, pending] : (*halves)[half]) {
      EXPECT_EQ(half_of_log.emplace(log_id, half).first->second, half);
      const auto [before, first] = last.emplace(log_id, pending.index);
      EXPECT_TRUE(first || before->second < pending.index);
      before->second = pending.index;
    }
  }
  EXPECT_EQ((*halves)[0].size() + (*halves)[1].size(), count);
}

TEST(HalvesTest, WhatIsSmallStaysWhole) {
  EXPECT_THAT(SizesOf({64, 64}), ElementsAre(64, 64));
  EXPECT_THAT(SizesOf({64, 63}), ElementsAre(127)) << "one item below the limit";
  EXPECT_THAT(SizesOf({}), ElementsAre(0));
}

TEST(HalvesTest, AHalfOfAFewItemsIsNotWorthTheTrip) {
  EXPECT_THAT(SizesOf({500}), ElementsAre(500));
  EXPECT_THAT(SizesOf({500, 31}), ElementsAre(531));
  EXPECT_THAT(SizesOf({500, 32}), ElementsAre(500, 32));
}

}  // namespace
}  // namespace bdcsync::event_store
