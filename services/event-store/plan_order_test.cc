#include "services/event-store/plan_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "services/event-store/batch_plan.h"

namespace bdcsync::event_store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PlanOrderTest : public ::testing::Test {
 protected:
  PlanOrder order_;
  LogCache cache_{LogCacheLimits()};
  BatchPlan first_{cache_, {}};
  BatchPlan second_{cache_, {}};
};

TEST_F(PlanOrderTest, ABatchIsPlannedAheadOnlyOnPlansThatStand) {
  const int64_t first = order_.Begin();
  const int64_t second = order_.Begin();
  EXPECT_TRUE(order_.MayPlanAhead(first));
  EXPECT_FALSE(order_.MayPlanAhead(second)) << "nobody knows what the first will leave";
  order_.Planned(&first_);
  EXPECT_TRUE(order_.MayPlanAhead(second));
  order_.Planned(&second_);
  order_.Committed();
  EXPECT_TRUE(order_.MayPlanAhead(order_.Begin()));
}

TEST_F(PlanOrderTest, PlansFallLatestFirstAndNoneIsMadeAheadUntilTheFirstStandsAgain) {
  const int64_t first = order_.Begin();
  const int64_t second = order_.Begin();
  const int64_t falls = order_.Planned(&first_);
  EXPECT_EQ(order_.Planned(&second_), falls);
  EXPECT_THAT(order_.Fall(), ElementsAre(&second_, &first_));
  EXPECT_NE(order_.falls(), falls);
  EXPECT_FALSE(order_.MayPlanAhead(second));
  EXPECT_TRUE(order_.MayPlanAhead(first));
  EXPECT_EQ(order_.Planned(&first_), order_.falls());
  EXPECT_TRUE(order_.MayPlanAhead(second));
}

TEST_F(PlanOrderTest, ABatchFollowsTheOneBeforeItOnceThatIsSent) {
  constexpr uint64_t kId = 7;
  const int64_t first = order_.Begin();
  const int64_t second = order_.Begin();
  const int64_t falls = order_.Planned(&first_);
  order_.Planned(&second_);
  EXPECT_EQ(order_.AwaitSent(first, falls), 0u) << "it is its turn";
  std::thread follows([&] { EXPECT_EQ(order_.AwaitSent(second, falls), kId); });
  order_.Sent(first, kId, falls);
  follows.join();
}

TEST_F(PlanOrderTest, NothingFollowsWhatHasNoIdOrIsDoneOrHasFallen) {
  const int64_t first = order_.Begin();
  const int64_t second = order_.Begin();
  int64_t falls = order_.Planned(&first_);
  order_.Planned(&second_);
  order_.Sent(first, 0, falls);
  std::thread waits([&] { EXPECT_EQ(order_.AwaitSent(second, falls), 0u); });
  order_.Committed();
  waits.join();

  const int64_t third = order_.Begin();
  order_.Planned(&first_);
  order_.Sent(second, 8, falls);
  order_.Fall();
  EXPECT_EQ(order_.AwaitSent(third, falls), 0u) << "what it rests on is not what was sent";
  std::thread planned_anew([&] { EXPECT_EQ(order_.AwaitSent(third, order_.falls()), 9u); });
  falls = order_.Planned(&second_);
  order_.Sent(second, 9, falls);
  planned_anew.join();
}

TEST_F(PlanOrderTest, ABatchThatGaveUpLeavesNoPlan) {
  order_.Begin();
  const int64_t second = order_.Begin();
  order_.Planned(&first_);
  order_.Planned(&second_);
  order_.Fall();
  order_.Committed();
  EXPECT_TRUE(order_.MayPlanAhead(second));
  EXPECT_THAT(order_.Fall(), IsEmpty());
}

TEST_F(PlanOrderTest, BatchesCommitAndSettleOneAfterTheOther) {
  const int64_t first = order_.Begin();
  const int64_t second = order_.Begin();
  std::vector<int64_t> committed;
  std::vector<int64_t> settled;
  std::thread later([&] {
    order_.AwaitCommit(second);
    committed.push_back(second);
    order_.Committed();
    order_.AwaitSettle(second);
    settled.push_back(second);
    order_.Settled();
  });
  order_.AwaitCommit(first);
  committed.push_back(first);
  order_.Committed();
  order_.AwaitCommit(second + 1);  // The second is committed while the first is not settled yet.
  order_.AwaitSettle(first);
  settled.push_back(first);
  EXPECT_FALSE(order_.idle());
  order_.Settled();
  later.join();
  EXPECT_TRUE(order_.idle());
  EXPECT_THAT(committed, ElementsAre(first, second));
  EXPECT_THAT(settled, ElementsAre(first, second));
}

}  // namespace
}  // namespace bdcsync::event_store
