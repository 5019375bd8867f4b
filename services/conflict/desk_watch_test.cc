#include "services/conflict/desk_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/storage/sqlite_desk_storage.h"

namespace bdcsync::conflict {
namespace {

constexpr int64_t kNowMs = 1'700'000'000'000;

v1::Conflict OpenConflict(char id, int64_t deadline_ms) {
  v1::Conflict conflict;
  conflict.set_conflict_id(std::string(32, id));
  conflict.mutable_entity()->set_space("s");
  conflict.mutable_entity()->set_entity_type("note");
  conflict.mutable_entity()->set_entity_id("a");
  conflict.set_state(v1::CONFLICT_STATE_OPEN);
  conflict.set_opened_ms(kNowMs);
  conflict.set_deadline_ms(deadline_ms);
  return conflict;
}

class DeskWatchTest : public ::testing::Test {
 protected:
  void Hold(v1::Conflict conflict) {
    FactBatch facts;
    facts.held.push_back(std::move(conflict));
    facts.now_ms = absl::ToUnixMillis(clock_.Now());
    ASSERT_OK(storage_->Record(facts));
  }
  // The thread of the watch looks once, too, and sees the same.
  DeskLook Look() {
    DeskLook last;
    absl::Mutex mutex;
    DeskWatch watch(*storage_, clock_, limits_, absl::ZeroDuration(), [&](const DeskLook& look) {
      absl::MutexLock lock(&mutex);
      last = look;
    });
    watch.Look();
    absl::MutexLock lock(&mutex);
    return last;
  }

  ManualClock clock_{absl::FromUnixMillis(kNowMs)};
  const DeskLimits limits_{.verify_interval = absl::Hours(1)};
  std::unique_ptr<DeskStorage> storage_ = *OpenSqliteDeskStorage(":memory:");
};

TEST_F(DeskWatchTest, NothingIsOverdueBeforeADeadline) {
  EXPECT_EQ(Look().overdue, absl::ZeroDuration());
  Hold(OpenConflict('a', kNowMs + 1000));
  EXPECT_EQ(Look().overdue, absl::ZeroDuration());
  EXPECT_EQ(Look().open[1].conflicts, 1);
}

TEST_F(DeskWatchTest, TheConflictLongestPastItsDeadlineCounts) {
  Hold(OpenConflict('a', kNowMs + 3000));
  Hold(OpenConflict('b', kNowMs + 1000));
  Hold(OpenConflict('c', kNowMs + 2000));
  clock_.Advance(absl::Seconds(61));
  EXPECT_EQ(Look().overdue, absl::Minutes(1));
  v1::Conflict closed = OpenConflict('b', kNowMs + 1000);
  closed.set_state(v1::CONFLICT_STATE_EXPIRED);
  closed.set_closed_ms(kNowMs + 61'000);
  Hold(std::move(closed));
  EXPECT_EQ(Look().overdue, absl::Seconds(59));
}

TEST_F(DeskWatchTest, WhatNobodyComparesWithTheLogIsOverdueToo) {
  Hold(OpenConflict('a', kNowMs + absl::ToInt64Milliseconds(absl::Hours(72))));
  clock_.Advance(limits_.verify_interval + absl::Minutes(7));
  EXPECT_EQ(Look().overdue, absl::Minutes(7));
}

}  // namespace
}  // namespace bdcsync::conflict
