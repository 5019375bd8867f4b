#include "services/gateway/spool/spool.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "libs/log/capture.h"
#include "libs/testing/sqlite_faults.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/spool/known_access.h"
#include "services/gateway/spool/spool_metrics.h"

namespace bdcsync::gateway {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using version::v1::CommitItem;
using version::v1::CommitResult;

// Answers at once, on the spool's thread; waits for what it is to see.
class Destination final : public VersionClient, public OutcomeListener {
 public:
  size_t replicas() const override { return 1; }
  void Commit(size_t, std::shared_ptr<const version::v1::CommitRequest> request,
              Done<version::v1::CommitResponse> done) override {
    absl::StatusOr<version::v1::CommitResponse> response = Decide(*request);
    done(std::move(response));
  }
  void GetEntities(size_t, version::v1::GetEntitiesRequest,
                   Done<version::v1::GetEntitiesResponse>) override {}
  void GetHistory(size_t, version::v1::GetHistoryRequest,
                  Done<version::v1::GetHistoryResponse>) override {}
  void Diff(size_t, version::v1::DiffRequest, Done<version::v1::DiffResponse>) override {}

  void OnOutcome(absl::string_view session, sync::v1::OperationResult result) override {
    absl::MutexLock lock(&mutex_);
    outcomes_.push_back(absl::StrCat(session, " ", result.op_id(), " ",
                                     result.error().code().empty()
                                         ? common::v1::Outcome_Name(result.outcome())
                                         : result.error().code()));
  }

  void SetAway(bool away) {
    absl::MutexLock lock(&mutex_);
    away_ = away;
  }
  // Operations with this id are answered with the code.
  void Answer(const std::string& op_id, const std::string& code) {
    absl::MutexLock lock(&mutex_);
    codes_[op_id] = code;
  }
  std::vector<std::string> WaitForOutcomes(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return outcomes_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
    return outcomes_;
  }
  size_t calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }
  version::v1::CommitRequest last_request() {
    absl::MutexLock lock(&mutex_);
    return last_request_;
  }
  std::vector<std::string> WaitForCalls(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return calls_ >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30));
    return committed_;
  }

 private:
  absl::StatusOr<version::v1::CommitResponse> Decide(const version::v1::CommitRequest& request) {
    absl::MutexLock lock(&mutex_);
    ++calls_;
    last_request_ = request;
    if (away_) return MakeError(Reason::kUnavailable, "away");
    version::v1::CommitResponse response;
    for (const CommitItem& item : request.items()) {
      if (codes_[item.operation().op_id()] == "poison") {
        return MakeError(Reason::kInvalidArgument, "poison");
      }
    }
    for (const CommitItem& item : request.items()) {
      const std::string code = codes_[item.operation().op_id()];
      CommitResult& result = *response.add_results();
      result.set_outcome(common::v1::OUTCOME_APPLIED);
      if (code.empty()) {
        committed_.push_back(item.operation().op_id());
        continue;
      }
      result.set_outcome(common::v1::OUTCOME_REJECTED);
      result.mutable_error()->set_code(code);
      if (code == "unavailable") codes_[item.operation().op_id()] = "";  // Next time it works.
    }
    return response;
  }

  absl::Mutex mutex_;
  bool away_ ABSL_GUARDED_BY(mutex_) = true;
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  version::v1::CommitRequest last_request_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> codes_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> committed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> outcomes_ ABSL_GUARDED_BY(mutex_);
};

// Hands the calls on, to be answered later.
class HoldingDestination final : public VersionClient {
 public:
  using Hold = std::function<void(Done<version::v1::CommitResponse>)>;
  explicit HoldingDestination(Hold hold) : hold_(std::move(hold)) {}
  size_t replicas() const override { return 1; }
  void Commit(size_t, std::shared_ptr<const version::v1::CommitRequest>,
              Done<version::v1::CommitResponse> done) override {
    hold_(std::move(done));
  }
  void GetEntities(size_t, version::v1::GetEntitiesRequest,
                   Done<version::v1::GetEntitiesResponse>) override {}
  void GetHistory(size_t, version::v1::GetHistoryRequest,
                  Done<version::v1::GetHistoryResponse>) override {}
  void Diff(size_t, version::v1::DiffRequest, Done<version::v1::DiffResponse>) override {}

 private:
  const Hold hold_;
};

CommitItem Item(const std::string& op_id, const std::string& entity_id) {
  CommitItem item;
  item.mutable_operation()->set_op_id(op_id);
  item.mutable_operation()->mutable_entity()->set_space("team");
  item.mutable_operation()->mutable_entity()->set_entity_type("note");
  item.mutable_operation()->mutable_entity()->set_entity_id(entity_id);
  item.mutable_actor()->set_user_id("ada");
  item.mutable_actor()->set_device_id("phone");
  item.mutable_actor()->set_session_id("s");
  return item;
}

// Each list of operations as a group of the same caller.
std::vector<StoreAndForward::Group> Groups(std::vector<std::vector<CommitItem>> groups,
                                           absl::Time token_expires = absl::InfiniteFuture()) {
  Caller caller;
  caller.user_id = "ada";
  caller.device_id = "phone";
  caller.session_id = "s";
  caller.token_expires = token_expires;
  const auto shared = std::make_shared<const Caller>(caller);
  std::vector<StoreAndForward::Group> made;
  for (std::vector<CommitItem>& items : groups) made.push_back({shared, std::move(items)});
  return made;
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    std::string folder = ::testing::TempDir() + "spool-XXXXXX";
    folder_ = mkdtemp(folder.data());
    Open();
  }
  ~SpoolTest() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(queue::QueueLimits limits = {}) {
    spool_.reset();
    limits.backoff_initial = absl::Milliseconds(1);
    auto queue = queue::DurableQueue::Open(folder_ + "/spool.db", limits, clock_, random_);
    ASSERT_OK(queue);
    spool_ = std::make_unique<Spool>(
        *std::move(queue),
        SpoolDependencies{destination_, destination_, clock_, random_, logger_, metrics_, access_},
        SpoolLimits{.retry_after_min = absl::Milliseconds(1),
                    .check_interval = absl::Milliseconds(5)});
  }
  std::vector<absl::Status> Store(std::vector<std::vector<CommitItem>> groups,
                                  absl::Time token_expires = absl::InfiniteFuture()) {
    return Store(Groups(std::move(groups), token_expires));
  }
  std::vector<absl::Status> Store(std::vector<StoreAndForward::Group> groups) {
    absl::Notification done;
    std::vector<absl::Status> answer;
    spool_->Store(std::move(groups), [&](std::vector<absl::Status> statuses) {
      answer = std::move(statuses);
      done.Notify();
    });
    done.WaitForNotification();
    return answer;
  }
  // Whether it comes true before patience runs out.
  bool Becomes(const std::function<bool()>& is_true) const {
    const absl::Duration deadline = clock_.Monotonic() + absl::Seconds(20);
    while (!is_true()) {
      if (clock_.Monotonic() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // Everything is told and done; the spool's own account follows within its thread.
  void WaitUntilEmpty() {
    spool_->Stop();
    EXPECT_EQ(spool_->waiting(), 0u);
  }

  SystemClock clock_;
  SeededRandom random_{1};
  log::CapturedLog log_;
  log::Logger& logger_ = log_.logger();
  metrics::Registry registry_;
  SpoolMetrics metrics_{registry_, clock_};
  Destination destination_;
  // The session is gone; what is known comes through OnAccess.
  KnownAccess access_{clock_,
                      {[](absl::string_view) { return nullptr; },
                       [](absl::string_view, absl::string_view) { return false; }},
                      {.token_grace = absl::Minutes(1)}};
  std::string folder_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, KeepsWhileTheServiceIsAwayAndCommitsInOrderWhenItIsBack) {
  EXPECT_FALSE(spool_->Holds("team"));
  EXPECT_THAT(Store({{Item("1", "a")}, {Item("2", "a")}, {Item("3", "a")}}), Each(testing::IsOk()));
  EXPECT_TRUE(spool_->Holds("team"));
  EXPECT_FALSE(spool_->Holds("other"));
  destination_.WaitForCalls(3);
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(3),
              ElementsAre("s 1 OUTCOME_APPLIED", "s 2 OUTCOME_APPLIED", "s 3 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  EXPECT_FALSE(spool_->Holds("team"));
}

TEST_F(SpoolTest, HoweverLongTheServiceIsAwayItIsAskedInTheSameInterval) {
  Store({{Item("1", "a")}});
  destination_.WaitForCalls(20);  // Twice as long for each would take a quarter of an hour.
  EXPECT_GE(destination_.calls(), 20u);
}

TEST_F(SpoolTest, GroupsOfOneNumberStayApart) {
  // Numbers begin anew when a gateway starts.
  std::vector<std::vector<CommitItem>> groups = {{Item("1", "a"), Item("2", "b")},
                                                 {Item("3", "c"), Item("4", "d")}};
  for (std::vector<CommitItem>& group : groups) {
    for (CommitItem& item : group) {
      item.set_atomic_group(7);
      item.set_batch(7);
    }
  }
  Store(std::move(groups));
  Store({{Item("5", "e")}});
  destination_.SetAway(false);
  destination_.WaitForOutcomes(5);
  const version::v1::CommitRequest request = destination_.last_request();
  ASSERT_EQ(request.items_size(), 5);
  for (const auto number : {&CommitItem::atomic_group, &CommitItem::batch}) {
    EXPECT_NE((request.items(0).*number)(), 0u);
    EXPECT_EQ((request.items(0).*number)(), (request.items(1).*number)());
    EXPECT_NE((request.items(1).*number)(), (request.items(2).*number)());
    EXPECT_EQ((request.items(2).*number)(), (request.items(3).*number)());
    EXPECT_EQ((request.items(4).*number)(), 0u);
  }
}

TEST_F(SpoolTest, SurvivesARestart) {
  Store({{Item("1", "a")}});
  Open();
  EXPECT_TRUE(spool_->Holds("team"));
  EXPECT_EQ(spool_->waiting(), 1u);
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 OUTCOME_APPLIED"));
}

TEST_F(SpoolTest, OnAFullDiskWhatWaitsIsCommittedOnceAndToldOnce) {
  testing::SqliteFaults faults;
  Open();
  Store({{Item("1", "a")}, {Item("2", "a")}, {Item("3", "b")}});
  faults.SetLogFull(true);
  EXPECT_THAT(Store({{Item("4", "b")}}), Each(HasReason(Reason::kUnavailable)));
  destination_.SetAway(false);
  const auto outcomes = destination_.WaitForOutcomes(3);
  EXPECT_THAT(outcomes, UnorderedElementsAre("s 1 OUTCOME_APPLIED", "s 2 OUTCOME_APPLIED",
                                             "s 3 OUTCOME_APPLIED"));
  EXPECT_TRUE(Becomes([this] { return !spool_->Holds("team"); })) << "others wait for nothing";
  faults.SetLogFull(false);
  EXPECT_TRUE(Becomes([this] { return metrics_.bytes.value() == 0; })) << "without being asked";
  EXPECT_THAT(destination_.WaitForOutcomes(3), SizeIs(3));
  Open();
  EXPECT_EQ(spool_->waiting(), 0u);
}

TEST_F(SpoolTest, WhatAFullDiskRefusesIsLoggedNowAndThen) {
  testing::SqliteFaults faults;
  Open();
  faults.SetLogFull(true);
  for (int i = 0; i < 50; ++i) Store({{Item(absl::StrCat(i), "a")}});
  EXPECT_THAT(log_.lines(), SizeIs(::testing::Lt(25))) << "a second for each";
}

TEST_F(SpoolTest, WhatCannotBeReadIsParkedAsItIs) {
  spool_.reset();
  {
    auto queue = queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_);
    ASSERT_OK(queue);
    const std::vector<queue::NewItem> damaged = {
        {.lane = "team", .keys = {"k"}, .payload = ""},
        {.lane = "team", .keys = {"l"}, .payload = "\xff"}};
    ASSERT_OK((*queue)->Push(damaged));
  }
  destination_.SetAway(false);
  Open();
  Store({{Item("1", "a")}});
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  spool_.reset();
  auto queue = queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_);
  ASSERT_OK(queue);
  const auto parked = (*queue)->ListParked(0, 10, 1000);
  ASSERT_OK(parked);
  ASSERT_EQ(parked->size(), 2u);
  EXPECT_EQ((*parked)[1].item.payload, "\xff");
  EXPECT_EQ((*parked)[1].reason, "internal");
}

// Counts how often it is asked.
class CountingClock final : public Clock {
 public:
  absl::Time Now() const override { return clock_.Now(); }
  absl::Duration Monotonic() const override {
    ++asked;
    return clock_.Monotonic();
  }
  mutable std::atomic<int> asked{0};

 private:
  SystemClock clock_;
};

TEST_F(SpoolTest, AStopWaitsForTheAnswerUnderWayAndDoesNothingElse) {
  CountingClock clock;
  absl::Mutex mutex;
  VersionClient::Done<version::v1::CommitResponse> answer;
  HoldingDestination holding([&](auto done) {
    absl::MutexLock lock(&mutex);
    answer = std::move(done);
  });
  spool_.reset();
  auto queue = queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_);
  ASSERT_OK(queue);
  spool_ = std::make_unique<Spool>(
      *std::move(queue),
      SpoolDependencies{holding, destination_, clock, random_, logger_, metrics_, access_},
      SpoolLimits());
  Store({{Item("1", "a")}});
  const auto asked = [&] { return static_cast<bool>(answer); };
  mutex.LockWhen(absl::Condition(&asked));
  mutex.Unlock();
  std::thread stops([&] { spool_->Stop(); });
  while (spool_->Do([](queue::DurableQueue&) {})) std::this_thread::yield();
  const int before = clock.asked;
  // A spool that turned round meanwhile would do so far more often than this.
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_LT(clock.asked - before, 100);
  version::v1::CommitResponse response;
  response.add_results()->set_outcome(common::v1::OUTCOME_APPLIED);
  answer(std::move(response));
  stops.join();
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 OUTCOME_APPLIED"));
  EXPECT_EQ(spool_->waiting(), 0u);
}

TEST_F(SpoolTest, ARefusedOperationIsParkedWithItsDependantsAndOthersGoOn) {
  destination_.Answer("1", "forbidden");
  Store({{Item("1", "a")}, {Item("2", "a")}, {Item("3", "b")}});
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(3),
              ::testing::UnorderedElementsAre("s 1 forbidden", "s 2 depends_on_rejected",
                                              "s 3 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  EXPECT_EQ(metrics_.parked.value(), 2);
}

TEST_F(SpoolTest, OfABatchOnlyWhatWasRefusedIsParked) {
  destination_.Answer("2", "already_exists");
  Store({{Item("1", "a"), Item("2", "b"), Item("3", "c")}});
  Store({{Item("4", "a")}});
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(4),
              ElementsAre("s 1 OUTCOME_APPLIED", "s 2 already_exists", "s 3 OUTCOME_APPLIED",
                          "s 4 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  EXPECT_EQ(metrics_.parked.value(), 1);
}

TEST_F(SpoolTest, WhatIsStillUnknownIsTriedAgain) {
  destination_.Answer("1", "unavailable");
  Store({{Item("1", "a")}});
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 OUTCOME_APPLIED"));
}

TEST_F(SpoolTest, AnOperationThatSpoilsWholeCallsIsFoundAndParked) {
  destination_.Answer("2", "poison");
  Store({{Item("1", "a")}, {Item("2", "b")}, {Item("3", "c")}});
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(3),
              ElementsAre("s 1 OUTCOME_APPLIED", "s 2 invalid_argument", "s 3 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  EXPECT_EQ(metrics_.parked.value(), 1);
}

TEST_F(SpoolTest, WhatItsDeviceMayNotDoAnyMoreIsRefusedAndParkedAndOthersGoOn) {
  CommitItem own = Item("2", "b");
  own.mutable_operation()->mutable_entity()->set_space("user:ada");
  Store({{Item("1", "a")}, {own}, {Item("3", "a")}});
  destination_.WaitForCalls(1);
  Caller lost;  // The space "team" is not in the new token.
  lost.user_id = "ada";
  lost.device_id = "phone";
  access_.OnAccess(std::make_shared<const Caller>(lost));
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(3),
              ::testing::UnorderedElementsAre("s 1 forbidden", "s 3 depends_on_rejected",
                                              "s 2 OUTCOME_APPLIED"));
  WaitUntilEmpty();
  EXPECT_EQ(metrics_.unauthorised.value(), 1);
  EXPECT_EQ(metrics_.parked.value(), 2);
}

TEST_F(SpoolTest, AfterARestartATokenThatEndedLongAgoStandsForNothingUnlessANewerOneCame) {
  Store({{Item("1", "a")}}, clock_.Now() - absl::Minutes(2));
  Store({{Item("2", "b")}}, clock_.Now() + absl::Minutes(2));
  Open();
  destination_.SetAway(false);
  EXPECT_THAT(destination_.WaitForOutcomes(2),
              ::testing::UnorderedElementsAre("s 1 token_expired", "s 2 OUTCOME_APPLIED"));
}

// However many are refused: each is parked with a flush of its own.
TEST_F(SpoolTest, WhoAsksDoesNotWaitUntilAllThatIsRefusedIsParked) {
  constexpr int kItems = 20;
  spool_.reset();
  ASSERT_OK_AND_ASSIGN(auto queue,
                       queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_));
  for (int i = 0; i < kItems; ++i) {
    version::v1::CommitRequest stored;
    *stored.add_items() = Item(absl::StrCat(i), absl::StrCat(i));
    const std::vector<queue::NewItem> items{{.lane = "team",
                                             .keys = {absl::StrCat("team\nnote/", i)},
                                             .payload = stored.SerializeAsString()}};
    ASSERT_OK(queue->Push(items));
  }
  absl::Notification made;
  absl::Notification asked;
  size_t parked = 0;
  KnownAccess access(clock_,
                     {[](absl::string_view) { return nullptr; },
                      [&](absl::string_view, absl::string_view) {
                        made.WaitForNotification();
                        if (parked == 0) {
                          (void)spool_->Do([&](queue::DurableQueue& queue) {
                            parked = queue.parked();
                            if (!asked.HasBeenNotified()) asked.Notify();
                          });
                        }
                        return true;
                      }},
                     KnownAccessLimits());
  spool_ = std::make_unique<Spool>(
      std::move(queue),
      SpoolDependencies{destination_, destination_, clock_, random_, logger_, metrics_, access},
      SpoolLimits{.batch_items_max = 3});
  made.Notify();
  asked.WaitForNotification();
  destination_.WaitForOutcomes(kItems);
  spool_->Stop();
  EXPECT_EQ(parked, 3u);
  EXPECT_EQ(metrics_.unauthorised.value(), kItems);
  spool_.reset();
}

// What is known of tokens goes with the last operation that waits, and not with one that comes just
// then.
TEST_F(SpoolTest, TheLatestTokenIsKnownOfWhatIsStoredWhileTheLastOneGoes) {
  const auto here = std::this_thread::get_id();
  bool open = false;
  KnownAccess access(clock_,
                     {[&](absl::string_view) -> std::shared_ptr<const Caller> {
                        if (std::this_thread::get_id() != here || !open) return nullptr;
                        const size_t before = spool_->waiting();
                        destination_.SetAway(false);
                        while (spool_->waiting() == before) std::this_thread::yield();
                        Caller lost;  // The space "team" is not in the new token.
                        lost.user_id = "ada";
                        lost.device_id = "phone";
                        return std::make_shared<const Caller>(lost);
                      },
                      [](absl::string_view, absl::string_view) { return false; }},
                     KnownAccessLimits());
  spool_.reset();
  ASSERT_OK_AND_ASSIGN(auto queue,
                       queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_));
  spool_ = std::make_unique<Spool>(
      std::move(queue),
      SpoolDependencies{destination_, destination_, clock_, random_, logger_, metrics_, access},
      SpoolLimits{.retry_after_min = absl::Milliseconds(1),
                  .check_interval = absl::Milliseconds(5)});
  Store({{Item("1", "a")}});
  open = true;
  Store({{Item("2", "b")}});
  EXPECT_THAT(destination_.WaitForOutcomes(2), ElementsAre("s 1 OUTCOME_APPLIED", "s 2 forbidden"));
  spool_.reset();
}

TEST_F(SpoolTest, AnOperatorStandsForATokenThatHasEnded) {
  destination_.SetAway(false);
  Store({{Item("1", "a")}}, clock_.Now() - absl::Minutes(2));
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 token_expired"));
  absl::Notification unparked;
  ASSERT_TRUE(spool_->Do([&](queue::DurableQueue& queue) {
    const auto parked = queue.ListParked(0, 10, 1000);
    ASSERT_OK(parked);
    ASSERT_EQ(parked->size(), 1u);
    ASSERT_OK_AND_ASSIGN(const auto spaces, queue.Unpark({parked->front().item.id}));
    ASSERT_OK_AND_ASSIGN(const std::string space, spaces.front());
    spool_->OnUnparked(parked->front().item.id, space);
    unparked.Notify();
  }));
  unparked.WaitForNotification();
  EXPECT_THAT(destination_.WaitForOutcomes(2),
              ElementsAre("s 1 token_expired", "s 1 OUTCOME_APPLIED"));
}

TEST_F(SpoolTest, WhatAnEarlierVersionStoredIsCommitted) {
  spool_.reset();
  {
    ASSERT_OK_AND_ASSIGN(auto queue,
                         queue::DurableQueue::Open(folder_ + "/spool.db", {}, clock_, random_));
    version::v1::CommitRequest stored;
    *stored.add_items() = Item("1", "a");
    const std::vector<queue::NewItem> items{
        {.lane = "team", .keys = {"team\nnote/a"}, .payload = stored.SerializeAsString()}};
    ASSERT_OK(queue->Push(items));
  }
  destination_.SetAway(false);
  Open();
  EXPECT_THAT(destination_.WaitForOutcomes(1), ElementsAre("s 1 OUTCOME_APPLIED"));
}

TEST_F(SpoolTest, AFullSpoolSaysSo) {
  Open({.items_max = 2});
  const auto statuses = Store({{Item("1", "a")}, {Item("2", "b")}, {Item("3", "c")}});
  EXPECT_OK(statuses[0]);
  EXPECT_OK(statuses[1]);
  EXPECT_THAT(statuses[2], HasReason(Reason::kQuotaExceeded));
  EXPECT_TRUE(RetryAfterOf(statuses[2]).has_value());
}

TEST_F(SpoolTest, AfterStopNothingIsAccepted) {
  spool_->Stop();
  EXPECT_THAT(Store({{Item("1", "a")}})[0], HasReason(Reason::kUnavailable));
}

}  // namespace
}  // namespace bdcsync::gateway
