#include "libs/base/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bdcsync {
namespace {

TEST(Errors, EveryReasonIsFoundAtItsPlaceAndByItsName) {
  for (const ReasonInfo& info : AllReasons()) {
    EXPECT_EQ(&InfoOf(info.reason), &info);
    EXPECT_EQ(ReasonFromName(info.name), info.reason);
  }
  EXPECT_EQ(ReasonFromName("no_such_reason"), std::nullopt);
}

TEST(Errors, AReasonSurvivesInsideAStatus) {
  const absl::Status status = MakeErrorAt(Reason::kTooDeep, "/data/a", "nested too deeply");
  EXPECT_EQ(ReasonOf(status), Reason::kTooDeep);
  EXPECT_EQ(PathOf(status), "/data/a");
  EXPECT_EQ(RetryAfterOf(status), std::nullopt);
}

TEST(Errors, ARetryDelayIsKeptInMilliseconds) {
  const absl::Status status =
      MakeRetryableError(Reason::kRateLimited, absl::Milliseconds(1500), "slow down");
  EXPECT_EQ(RetryAfterOf(status), absl::Milliseconds(1500));
}

TEST(Errors, AStatusFromElsewhereGetsTheNearestReason) {
  EXPECT_EQ(ReasonOf(absl::UnavailableError("gone")), Reason::kUnavailable);
  EXPECT_EQ(ReasonOf(absl::DataLossError("?")), Reason::kInternal);
}

}  // namespace
}  // namespace bdcsync
