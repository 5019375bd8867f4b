// The worker: due conflicts are closed in bounded calls, at their deadline, one round at a time.
#include "services/gateway/desk/conflict_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/log/capture.h"
#include "services/gateway/desk/fake_conflicts.h"
#include "services/gateway/session/testing/manual_loop.h"

namespace bdcsync::gateway {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

int Lines(const log::CapturedLog& log, absl::string_view text) {
  int count = 0;
  for (const std::string& line : log.lines()) count += absl::StrContains(line, text) ? 1 : 0;
  return count;
}

constexpr absl::Duration kInterval = absl::Seconds(10);

class ConflictWorkerTest : public ::testing::Test {
 protected:
  ConflictWorkerTest() {
    services_.close = [this](const version::v1::CloseItem& item) {
      version::v1::CloseResult result;
      conflict::v1::Conflict& conflict = *result.mutable_conflict();
      conflict.set_conflict_id(item.conflict_id());
      conflict.set_state(item.cause() == version::v1::CLOSE_CAUSE_DEADLINE
                             ? conflict::v1::CONFLICT_STATE_EXPIRED
                             : conflict::v1::CONFLICT_STATE_OPEN);
      conflict.set_closed_ms(absl::ToUnixMillis(clock_.Now()));
      conflict.set_deadline_ms(absl::ToUnixMillis(clock_.Now() - absl::Seconds(2)));
      return result;
    };
  }
  ConflictWorker& Start(ConflictWorkerOptions options = {.interval = kInterval,
                                                         .jitter = absl::ZeroDuration()}) {
    worker_.emplace(ConflictWorker::Dependencies{services_, services_, loop_, clock_, random_,
                                                 log_.logger(), metrics_},
                    options);
    worker_->Start();
    loop_.RunPosted();
    return *worker_;
  }
  // The next answer of ListDue tells of `count` conflicts.
  conflict::v1::ListDueResponse& Due(
      int count, conflict::v1::DueReason reason = conflict::v1::DUE_REASON_DEADLINE) {
    conflict::v1::ListDueResponse& due = services_.due.emplace_back();
    for (int i = 0; i < count; ++i) {
      conflict::v1::DueConflict& one = *due.add_due();
      one.set_reason(reason);
      one.mutable_conflict()->set_conflict_id(absl::StrCat("c", i));
      one.mutable_conflict()->mutable_entity()->set_space(absl::StrCat("space-", i % 7));
    }
    return due;
  }
  int Items() const {
    int items = 0;
    for (const auto& [replica, closing] : services_.closings) items += closing.items_size();
    return items;
  }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  ManualLoop loop_{clock_};
  SeededRandom random_{1};
  metrics::Registry registry_;
  ConflictWorkerMetrics metrics_{registry_};
  log::CapturedLog log_;
  FakeConflicts services_;
  std::optional<ConflictWorker> worker_;
};

TEST_F(ConflictWorkerTest, TakesTheFallbacksOfWhatIsDueAndComparesTheUncertain) {
  Due(2);
  conflict::v1::DueConflict& uncertain = *services_.due.back().add_due();
  uncertain.set_reason(conflict::v1::DUE_REASON_UNCERTAIN);
  uncertain.mutable_conflict()->set_conflict_id("u");
  Start();
  loop_.Advance(absl::Milliseconds(1));
  ASSERT_THAT(services_.closings, SizeIs(1));
  const version::v1::CloseConflictsRequest& asked = services_.closings[0].second;
  ASSERT_EQ(asked.items_size(), 3);
  EXPECT_EQ(asked.items(0).cause(), version::v1::CLOSE_CAUSE_DEADLINE);
  EXPECT_EQ(asked.items(2).cause(), version::v1::CLOSE_CAUSE_CHECK);
  EXPECT_FALSE(asked.items(0).has_actor());
  EXPECT_EQ(metrics_.expired.value(), 2);
  EXPECT_EQ(metrics_.checked.value(), 1);
  EXPECT_EQ(metrics_.due.value(), 3);
  EXPECT_EQ(metrics_.lag.count(), 2u);
  EXPECT_EQ(metrics_.lag.sum(), 4);
}

TEST_F(ConflictWorkerTest, LooksAgainAfterTheInterval) {
  Start();
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(services_.due_requests, SizeIs(1));
  loop_.Advance(kInterval - absl::Milliseconds(2));
  EXPECT_THAT(services_.due_requests, SizeIs(1));
  loop_.Advance(absl::Milliseconds(2));
  EXPECT_THAT(services_.due_requests, SizeIs(2));
  EXPECT_THAT(services_.closings, IsEmpty());
}

TEST_F(ConflictWorkerTest, WakesAtTheNextDeadline) {
  Due(0).set_next_deadline_ms(absl::ToUnixMillis(clock_.Now() + absl::Seconds(3)));
  Start();
  loop_.Advance(absl::Seconds(2));
  EXPECT_THAT(services_.due_requests, SizeIs(1));
  loop_.Advance(absl::Seconds(1));
  EXPECT_THAT(services_.due_requests, SizeIs(2));
}

TEST_F(ConflictWorkerTest, ADeadlineThatHasPassedDoesNotMakeItSpin) {
  for (int i = 0; i < 1000; ++i) {
    Due(0).set_next_deadline_ms(absl::ToUnixMillis(clock_.Now() - absl::Seconds(3)));
  }
  Start();
  loop_.Advance(absl::Seconds(1));
  EXPECT_LE(services_.due_requests.size(), 51u);
}

TEST_F(ConflictWorkerTest, JitterSpreadsTheWorkersOfSeveralGateways) {
  Start({.interval = kInterval, .jitter = absl::Seconds(4)});
  std::vector<absl::Duration> waits;
  absl::Duration last = clock_.Monotonic();
  for (size_t rounds = 0; rounds < 20;) {
    loop_.Advance(absl::Milliseconds(10));
    if (services_.due_requests.size() == rounds) continue;
    waits.push_back(clock_.Monotonic() - last);
    last = clock_.Monotonic();
    rounds = services_.due_requests.size();
  }
  const auto [least, most] = std::minmax_element(waits.begin() + 1, waits.end());
  EXPECT_GE(*least, kInterval);
  EXPECT_LE(*most, kInterval + absl::Seconds(4.1));
  EXPECT_GT(*most - *least, absl::Seconds(1));
}

TEST_F(ConflictWorkerTest, CallsAreBoundedAndGoToTheReplicaOfTheSpace) {
  services_.replica_count = 3;
  Due(450);
  Start({.interval = kInterval, .jitter = absl::ZeroDuration(), .conflicts_per_round_max = 500});
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(services_.due_requests[0].limit(), 500);
  EXPECT_EQ(Items(), 450);
  std::map<std::string, size_t> replica_of;
  for (const auto& [replica, closing] : services_.closings) {
    EXPECT_LE(closing.items_size(), kConflictsPerCallMax);
    for (const version::v1::CloseItem& item : closing.items()) {
      const std::string space = absl::StrCat("space-", std::stoi(item.conflict_id().substr(1)) % 7);
      EXPECT_EQ(replica_of.try_emplace(space, replica).first->second, replica);
    }
  }
}

TEST_F(ConflictWorkerTest, AFullListIsFollowedByTheNextAtOnce) {
  Due(5);
  Due(5);
  Due(2);
  Start({.interval = kInterval, .jitter = absl::ZeroDuration(), .conflicts_per_round_max = 5});
  loop_.Advance(absl::Milliseconds(10));
  EXPECT_EQ(Items(), 12);
  EXPECT_THAT(services_.due_requests, SizeIs(3));
}

TEST_F(ConflictWorkerTest, WhatFailsIsCountedAndWaitsForTheInterval) {
  services_.close = [](const version::v1::CloseItem& item) {
    version::v1::CloseResult result;
    const bool late = item.conflict_id() == "c0";
    *result.mutable_error() =
        ErrorOf(MakeError(late ? Reason::kPreconditionFailed : Reason::kUnavailable, "no"));
    return result;
  };
  Due(3).set_next_deadline_ms(absl::ToUnixMillis(clock_.Now()));
  Start();
  loop_.Advance(kInterval - absl::Milliseconds(1));
  EXPECT_THAT(services_.due_requests, SizeIs(1));
  EXPECT_EQ(metrics_.closed_elsewhere.value(), 1);
  EXPECT_EQ(metrics_.failures.value(), 2);
  EXPECT_EQ(Lines(log_, "conflicts that are due could not be closed"), 1);
}

TEST_F(ConflictWorkerTest, WhereAReplicaIsAwayAnotherOneClosesForIt) {
  services_.replica_count = 3;
  services_.away = {0, 2};
  Due(7);
  Start();
  loop_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Items(), 7);
  EXPECT_EQ(metrics_.expired.value(), 7);
  EXPECT_EQ(metrics_.failures.value(), 0);
}

TEST_F(ConflictWorkerTest, WhereAllReplicasAreAwayEachIsAskedOnce) {
  services_.replica_count = 3;
  services_.away = {0, 1, 2};
  Due(7);
  Start();
  loop_.Advance(kInterval / 2);
  EXPECT_EQ(metrics_.failures.value(), 7);
  EXPECT_THAT(services_.due_requests, SizeIs(1));
}

TEST_F(ConflictWorkerTest, GoesOnWhenAServiceWasAway) {
  services_.failure = MakeError(Reason::kUnavailable, "away");
  Start();
  loop_.Advance(kInterval / 2);
  EXPECT_EQ(metrics_.failed_rounds.value(), 1);
  services_.failure = absl::OkStatus();
  Due(1);
  loop_.Advance(kInterval);
  EXPECT_EQ(metrics_.expired.value(), 1);
}

TEST_F(ConflictWorkerTest, ThereAreNeverTwoRoundsAtOnce) {
  services_.answers_at_once = false;
  Start();
  loop_.Advance(100 * kInterval);
  EXPECT_THAT(services_.due_requests, SizeIs(1));
  EXPECT_FALSE(worker_->idle());
  services_.AnswerNext();
  loop_.Advance(kInterval);
  EXPECT_THAT(services_.due_requests, SizeIs(2));
}

TEST_F(ConflictWorkerTest, StopEndsTheRoundAfterTheCallThatIsUnderWay) {
  services_.answers_at_once = false;
  Due(2 * kConflictsPerCallMax + 1);
  ConflictWorker& worker = Start(
      {.interval = kInterval, .jitter = absl::ZeroDuration(), .conflicts_per_round_max = 500});
  loop_.Advance(absl::Milliseconds(1));
  services_.AnswerNext();  // The list.
  loop_.RunPosted();
  EXPECT_THAT(services_.closings, SizeIs(1));
  worker.Stop();
  EXPECT_FALSE(worker.idle());
  services_.AnswerNext();
  loop_.RunPosted();
  EXPECT_TRUE(worker.idle());
  loop_.Advance(10 * kInterval);
  EXPECT_THAT(services_.closings, SizeIs(1));
  EXPECT_THAT(services_.due_requests, SizeIs(1));
}

TEST_F(ConflictWorkerTest, AStoppedWorkerThatWaitedMakesNoCall) {
  ConflictWorker& worker = Start();
  worker.Stop();
  loop_.Advance(10 * kInterval);
  EXPECT_THAT(services_.due_requests, IsEmpty());
  EXPECT_TRUE(worker.idle());
}

}  // namespace
}  // namespace bdcsync::gateway
