#include "services/conflict/remote/circuit_breaker.h"

#include <gtest/gtest.h>

namespace bdcsync::conflict {
namespace {

using State = CircuitBreaker::State;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void Call(bool success) {
    const auto permit = breaker_.Admit();
    ASSERT_TRUE(permit);
    breaker_.Report(*permit, success);
  }
  void Open() {
    for (int i = 0; i < options_.failures_max; ++i) Call(false);
    ASSERT_EQ(breaker_.state(), State::kOpen);
  }
  // Longer than any wait of `nominal` with its jitter.
  void Outwait(absl::Duration nominal) { clock_.Advance(nominal * 1.5); }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{7};
  BreakerOptions options_{.failures_max = 3,
                          .failure_percent = 50,
                          .wait = absl::Seconds(1),
                          .wait_max = absl::Seconds(5)};
  CircuitBreaker breaker_{options_, clock_, random_};
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARowAndNotBefore) {
  Call(false);
  Call(false);
  Call(true);  // The row begins anew.
  Call(false);
  Call(false);
  EXPECT_EQ(breaker_.state(), State::kClosed);
  Call(false);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(breaker_.MayCall());
  EXPECT_FALSE(breaker_.Admit());
}

TEST_F(CircuitBreakerTest, OpensWhenTooManyOfTheLastCallsFailThoughNeverInARow) {
  for (size_t i = 0; i + 1 < CircuitBreaker::kWindowCalls; ++i) Call(i % 2 == 0);
  EXPECT_EQ(breaker_.state(), State::kClosed) << "too few calls to tell";
  Call(false);
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, StaysClosedBelowTheShare) {
  for (int i = 0; i < 1000; ++i) Call(i % 5 < 3);  // Two of five fail.
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, OneProbeGoesOutAfterTheWaitAndItsSuccessCloses) {
  Open();
  clock_.Advance(absl::Milliseconds(499));  // Less than any wait with jitter.
  EXPECT_FALSE(breaker_.MayCall());
  Outwait(absl::Seconds(1));
  EXPECT_TRUE(breaker_.MayCall());
  const auto probe = breaker_.Admit();
  ASSERT_TRUE(probe);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker_.MayCall());
  EXPECT_FALSE(breaker_.Admit()) << "one probe at a time";
  breaker_.Report(*probe, true);
  EXPECT_EQ(breaker_.state(), State::kClosed);
  Call(false);
  Call(false);
  EXPECT_EQ(breaker_.state(), State::kClosed) << "old failures do not count";
}

TEST_F(CircuitBreakerTest, AFailedProbeOpensForTwiceAsLongUpToTheMost) {
  Open();
  absl::Duration nominal = options_.wait;
  for (int probes = 0; probes < 6; ++probes) {
    Outwait(nominal);
    Call(false);
    ASSERT_EQ(breaker_.state(), State::kOpen);
    nominal = std::min(nominal * 2, options_.wait_max);
    clock_.Advance(nominal * 0.499);
    ASSERT_FALSE(breaker_.MayCall()) << probes;
  }
  Outwait(options_.wait_max);
  Call(true);
  Open();
  Outwait(options_.wait);
  EXPECT_TRUE(breaker_.MayCall()) << "the wait is the first one again";
}

TEST_F(CircuitBreakerTest, CallsThatBeganBeforeAChangeSayNothing) {
  const auto early_success = breaker_.Admit();
  const auto early_failure = breaker_.Admit();
  Open();
  breaker_.Report(*early_success, true);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  Outwait(options_.wait);
  const auto probe = breaker_.Admit();
  breaker_.Report(*early_failure, false);
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  breaker_.Report(*probe, true);
  breaker_.Report(*probe, false);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, WaitsDifferSoThatReplicasDoNotProbeInStep) {
  SeededRandom other(8);
  CircuitBreaker second(options_, clock_, other);
  Open();
  for (int i = 0; i < options_.failures_max; ++i) second.Report(*second.Admit(), false);
  int differs = 0;
  for (int ms = 0; ms < 1500; ++ms) {
    clock_.Advance(absl::Milliseconds(1));
    if (breaker_.MayCall() != second.MayCall()) ++differs;
  }
  EXPECT_GT(differs, 0);
}

}  // namespace
}  // namespace bdcsync::conflict
