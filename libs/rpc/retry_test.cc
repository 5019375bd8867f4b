#include "libs/rpc/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace bdcsync::rpc {
namespace {

// Always the same fraction.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(uint64_t bits) : bits_(bits) {}
  uint64_t Bits64() override { return bits_; }

 private:
  const uint64_t bits_;
};

constexpr uint64_t kHalf = uint64_t{1} << 63;

TEST(Backoff, GrowsToItsMaximumAndStartsOver) {
  FixedRandom half(kHalf);
  Backoff backoff({absl::Milliseconds(100), absl::Milliseconds(500), 2});
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(50));
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(200));
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(250));
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(250));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(half), absl::Milliseconds(50));
}

TEST(Backoff, JitterCoversTheWholeRange) {
  FixedRandom lowest(0);
  FixedRandom highest(std::numeric_limits<uint64_t>::max());
  Backoff backoff({absl::Seconds(1), absl::Seconds(1), 2});
  EXPECT_EQ(backoff.Next(lowest), absl::ZeroDuration());
  const absl::Duration longest = backoff.Next(highest);
  EXPECT_LE(longest, absl::Seconds(1));
  EXPECT_GT(longest, absl::Milliseconds(999));
}

TEST(RetryBudget, AllowsTheBurstAndThenAShareOfCalls) {
  RetryBudget budget(0.25, 2);
  EXPECT_TRUE(budget.Take());
  EXPECT_TRUE(budget.Take());
  EXPECT_FALSE(budget.Take());
  for (int i = 0; i < 3; ++i) budget.OnCall();
  EXPECT_FALSE(budget.Take());
  budget.OnCall();
  EXPECT_TRUE(budget.Take());
  for (int i = 0; i < 100; ++i) budget.OnCall();
  EXPECT_TRUE(budget.Take());
  EXPECT_TRUE(budget.Take());
  EXPECT_FALSE(budget.Take());
}

}  // namespace
}  // namespace bdcsync::rpc
