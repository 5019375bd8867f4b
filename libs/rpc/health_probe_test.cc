#include "libs/rpc/health_probe.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using bdcsync::testing::StatusIs;

class HealthProbeTest : public ::testing::Test {
 protected:
  ManualClock clock_{absl::UnixEpoch()};
  std::vector<HealthProbe::Answer> asked_;
  HealthProbe probe_{[this](HealthProbe::Answer answer) { asked_.push_back(std::move(answer)); },
                     clock_};
};

TEST_F(HealthProbeTest, IsNotHealthyBeforeTheFirstAnswer) {
  EXPECT_THAT(probe_.Last(), StatusIs(absl::StatusCode::kUnavailable));
  std::move(asked_.front())(absl::OkStatus());
  EXPECT_OK(probe_.Last());
}

TEST_F(HealthProbeTest, AsksAgainWhenTheAnswerIsOldAndShowsTheOldOneMeanwhile) {
  (void)probe_.Last();
  asked_[0](absl::OkStatus());
  clock_.Advance(kHealthAgeMax - absl::Nanoseconds(1));
  EXPECT_OK(probe_.Last());
  EXPECT_EQ(asked_.size(), 1u);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_OK(probe_.Last());
  ASSERT_EQ(asked_.size(), 2u);
  asked_[1](absl::DeadlineExceededError("silent"));
  EXPECT_THAT(probe_.Last(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(HealthProbeTest, NeverHasTwoQuestionsOut) {
  (void)probe_.Last();
  clock_.Advance(10 * kHealthAgeMax);
  (void)probe_.Last();
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(HealthProbeTest, WhoIsAskedAndSaysNothingIsAwayUntilItDoes) {
  (void)probe_.Last();
  asked_[0](absl::OkStatus());
  clock_.Advance(kHealthAgeMax);
  EXPECT_OK(probe_.Last());
  clock_.Advance(kHealthSilenceMax - absl::Nanoseconds(1));
  EXPECT_OK(probe_.Last());
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(probe_.Last(), absl::UnavailableError("no answer for 5 s"));
  ASSERT_EQ(asked_.size(), 2u);
  asked_[1](absl::OkStatus());
  (void)probe_.Last();  // The answer is old: it asks again.
  EXPECT_OK(probe_.Last());
}

TEST(HealthProbe, AnAnswerMayComeAtOnceOrAfterTheProbe) {
  const ManualClock clock(absl::UnixEpoch());
  HealthProbe at_once([](HealthProbe::Answer answer) { answer(absl::OkStatus()); }, clock);
  EXPECT_OK(at_once.Last());
  HealthProbe::Answer late;
  {
    HealthProbe probe([&late](HealthProbe::Answer answer) { late = std::move(answer); }, clock);
    (void)probe.Last();
  }
  late(absl::OkStatus());
}

}  // namespace
}  // namespace bdcsync::rpc
