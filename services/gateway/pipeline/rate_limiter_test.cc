#include "services/gateway/pipeline/rate_limiter.h"

#include "libs/testing/status_matchers.h"

namespace bdcsync::gateway {
namespace {

using testing::HasReason;

class RateLimiterTest : public ::testing::Test {
 protected:
  ManualClock clock_{absl::UnixEpoch()};
};

TEST_F(RateLimiterTest, EachKeyHasItsOwnBucketThatFillsWithTime) {
  RateLimiter limiter(clock_, {.per_second = 2, .burst = 3});
  EXPECT_OK(limiter.Take("a", 3));
  EXPECT_THAT(limiter.Take("a", 1), HasReason(Reason::kRateLimited));
  EXPECT_OK(limiter.Take("b", 3));
  clock_.Advance(absl::Milliseconds(499));
  EXPECT_THAT(limiter.Take("a", 1), HasReason(Reason::kRateLimited));
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_OK(limiter.Take("a", 1));
}

TEST_F(RateLimiterTest, ABatchAboveTheBurstNeedsAFullBucketAndLeavesADebt) {
  RateLimiter limiter(clock_, {.per_second = 10, .burst = 5});
  EXPECT_OK(limiter.Take("a", 15));
  const absl::Status refused = limiter.Take("a", 1);
  EXPECT_EQ(RetryAfterOf(refused), absl::Milliseconds(1100));
  clock_.Advance(absl::Milliseconds(1100));
  EXPECT_OK(limiter.Take("a", 1));
}

TEST_F(RateLimiterTest, TheTableIsBounded) {
  RateLimiter limiter(clock_, {.per_second = 1, .burst = 1, .keys_max = 2});
  EXPECT_OK(limiter.Take("a", 1));
  EXPECT_OK(limiter.Take("b", 1));
  EXPECT_OK(limiter.Take("c", 1));  // One of the others made room.
  clock_.Advance(absl::Seconds(2));
  EXPECT_OK(limiter.Take("d", 1));
}

TEST_F(RateLimiterTest, NewLimitsHoldAtOnce) {
  RateLimiter limiter(clock_, {.per_second = 1, .burst = 1});
  EXPECT_OK(limiter.Take("a", 1));
  limiter.SetLimits(100, 10);
  clock_.Advance(absl::Milliseconds(10));
  EXPECT_OK(limiter.Take("a", 1));
}

}  // namespace
}  // namespace bdcsync::gateway
