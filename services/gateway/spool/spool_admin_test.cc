// Parked operations: listed with reason and payload, tried again, deleted.
#include "services/gateway/spool/spool_admin.h"

#include <gmock/gmock.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_dir.h"
#include "services/gateway/spool/known_access.h"

namespace bdcsync::gateway {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kPlenty = 1 << 20;

// Refuses the operations it is told to, and applies the others.
class Picky final : public VersionClient, public OutcomeListener {
 public:
  size_t replicas() const override { return 1; }
  void Commit(size_t, std::shared_ptr<const version::v1::CommitRequest> request,
              Done<version::v1::CommitResponse> done) override {
    version::v1::CommitResponse response;
    {
      absl::MutexLock lock(&mutex_);
      for (const version::v1::CommitItem& item : request->items()) {
        version::v1::CommitResult& result = *response.add_results();
        if (refused_.contains(item.operation().op_id())) {
          result.set_outcome(common::v1::OUTCOME_REJECTED);
          result.mutable_error()->set_code("already_exists");
        } else {
          result.set_outcome(common::v1::OUTCOME_APPLIED);
          applied_.push_back(item.operation().op_id());
        }
      }
      if (held_) {
        answer_ = [done = std::move(done), response = std::move(response)]() mutable {
          done(std::move(response));
        };
        return;
      }
    }
    done(std::move(response));
  }
  void GetEntities(size_t, version::v1::GetEntitiesRequest,
                   Done<version::v1::GetEntitiesResponse>) override {}
  void GetHistory(size_t, version::v1::GetHistoryRequest,
                  Done<version::v1::GetHistoryResponse>) override {}
  void Diff(size_t, version::v1::DiffRequest, Done<version::v1::DiffResponse>) override {}
  void OnOutcome(absl::string_view, sync::v1::OperationResult) override {
    absl::MutexLock lock(&mutex_);
    ++outcomes_;
  }

  void Refuse(std::set<std::string> ids) {
    absl::MutexLock lock(&mutex_);
    refused_ = std::move(ids);
  }
  // The next call is answered by Release.
  void Hold() {
    absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  void AwaitCall() {
    absl::MutexLock lock(&mutex_);
    const auto called = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return answer_ != nullptr; };
    mutex_.Await(absl::Condition(&called));
  }
  void Release() {
    AwaitCall();
    absl::AnyInvocable<void()> answer;
    {
      absl::MutexLock lock(&mutex_);
      held_ = false;
      answer = std::exchange(answer_, nullptr);
    }
    answer();
  }
  bool AwaitOutcomes(int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return outcomes_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(20));
  }
  std::vector<std::string> applied() {
    absl::MutexLock lock(&mutex_);
    return applied_;
  }

 private:
  absl::Mutex mutex_;
  std::set<std::string> refused_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> applied_ ABSL_GUARDED_BY(mutex_);
  int outcomes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  absl::AnyInvocable<void()> answer_ ABSL_GUARDED_BY(mutex_);
};

class SpoolAdminTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(auto queue,
                         queue::DurableQueue::Open(dir_.File("spool.db"), {}, clock_, random_));
    spool_ = std::make_unique<Spool>(
        std::move(queue),
        SpoolDependencies{version_, version_, clock_, random_, logger_, metrics_, access_},
        SpoolLimits());
    admin_ = std::make_unique<SpoolAdmin>(*spool_, metrics_);
  }
  // Stores operations on entities of one name each, in order.
  void Store(const std::vector<std::string>& op_ids, const std::string& entity_id) {
    for (const std::string& op_id : op_ids) StoreGroup({ItemOf(op_id, entity_id)});
  }
  static version::v1::CommitItem ItemOf(const std::string& op_id, const std::string& entity_id) {
    version::v1::CommitItem item;
    item.mutable_operation()->set_op_id(op_id);
    item.mutable_operation()->set_data(absl::StrCat("{\"of\":\"", op_id, "\"}"));
    item.mutable_operation()->mutable_entity()->set_space("team");
    item.mutable_operation()->mutable_entity()->set_entity_type("note");
    item.mutable_operation()->mutable_entity()->set_entity_id(entity_id);
    item.mutable_actor()->set_user_id("ada");
    item.mutable_actor()->set_session_id("s");
    return item;
  }
  void StoreGroup(std::vector<version::v1::CommitItem> items) {
    absl::Notification stored;
    spool_->Store({{std::make_shared<const Caller>(), std::move(items)}},
                  [&](const std::vector<absl::Status>& statuses) {
                    EXPECT_OK(statuses.front());
                    stored.Notify();
                  });
    stored.WaitForNotification();
  }
  template <typename Result, typename Start>
  absl::StatusOr<Result> Await(Start start) {
    absl::StatusOr<Result> result;
    absl::Notification done;
    start([&](absl::StatusOr<Result> answer) {
      result = std::move(answer);
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
  std::vector<ParkedGroup> List(int64_t after_id = 0, size_t limit = 100) {
    auto groups = Await<std::vector<ParkedGroup>>(
        [&](auto done) { admin_->List(after_id, limit, kPlenty, std::move(done)); });
    EXPECT_OK(groups);
    return groups.ok() ? *std::move(groups) : std::vector<ParkedGroup>();
  }
  std::vector<absl::Status> Retry(std::vector<int64_t> ids) {
    return *Await<std::vector<absl::Status>>(
        [&](auto done) { admin_->Retry(std::move(ids), std::move(done)); });
  }
  std::vector<absl::Status> Discard(std::vector<int64_t> ids) {
    return *Await<std::vector<absl::Status>>(
        [&](auto done) { admin_->Discard(std::move(ids), std::move(done)); });
  }

  testing::TempDir dir_;
  SystemClock clock_;
  SeededRandom random_{1};
  log::Logger logger_ = log::NullLogger();
  metrics::Registry registry_;
  SpoolMetrics metrics_{registry_, clock_};
  KnownAccess access_{clock_,
                      {[](absl::string_view) { return nullptr; },
                       [](absl::string_view, absl::string_view) { return false; }},
                      KnownAccessLimits()};
  Picky version_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<SpoolAdmin> admin_;
};

TEST_F(SpoolAdminTest, ARefusedOperationIsListedWithReasonAndPayload) {
  version_.Refuse({"bad"});
  Store({"good", "bad"}, "a");
  ASSERT_TRUE(version_.AwaitOutcomes(2));
  const std::vector<ParkedGroup> groups = List();
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0].space, "team");
  EXPECT_EQ(groups[0].reason, "already_exists");
  EXPECT_LE(groups[0].stored, groups[0].parked);
  ASSERT_EQ(groups[0].operations.items_size(), 1);
  EXPECT_EQ(groups[0].operations.items(0).operation().data(), R"({"of":"bad"})");
  EXPECT_EQ(groups[0].operations.items(0).actor().user_id(), "ada");
}

TEST_F(SpoolAdminTest, PagesGoOnAfterAnId) {
  version_.Refuse({"1", "2", "3"});
  for (const std::string id : {"1", "2", "3"}) Store({id}, "entity-" + id);
  ASSERT_TRUE(version_.AwaitOutcomes(3));
  const std::vector<ParkedGroup> first = List(0, 2);
  ASSERT_THAT(first, SizeIs(2));
  const std::vector<ParkedGroup> rest = List(first.back().id, 2);
  ASSERT_THAT(rest, SizeIs(1));
  EXPECT_THAT(List(rest.back().id, 2), IsEmpty());
}

TEST_F(SpoolAdminTest, ARetriedOperationIsCommittedOnce) {
  version_.Refuse({"bad"});
  Store({"bad"}, "a");
  ASSERT_TRUE(version_.AwaitOutcomes(1));
  const std::vector<ParkedGroup> groups = List();
  ASSERT_THAT(groups, SizeIs(1));
  version_.Refuse({});
  EXPECT_THAT(Retry({groups[0].id, 999}),
              ElementsAre(testing::IsOk(), HasReason(Reason::kNotFound)));
  ASSERT_TRUE(version_.AwaitOutcomes(2));
  EXPECT_THAT(version_.applied(), ElementsAre("bad"));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(metrics_.retried.value(), 1);
  spool_->Stop();
  EXPECT_EQ(spool_->waiting(), 0u);
  EXPECT_FALSE(spool_->Holds("team"));
}

TEST_F(SpoolAdminTest, ARetriedOperationThatIsRefusedAgainIsParkedAgain) {
  version_.Refuse({"bad"});
  Store({"bad"}, "a");
  ASSERT_TRUE(version_.AwaitOutcomes(1));
  EXPECT_THAT(Retry({List().at(0).id}), ElementsAre(testing::IsOk()));
  ASSERT_TRUE(version_.AwaitOutcomes(2));
  EXPECT_THAT(List(), SizeIs(1));
  EXPECT_THAT(version_.applied(), IsEmpty());
}

// "both" is put between the two that are being committed when the first of them is refused.
TEST_F(SpoolAdminTest, WhatIsBeingCommittedIsNotParkedBehindWhatIsRetriedMeanwhile) {
  version_.Refuse({"first"});
  version_.Hold();
  Store({"first"}, "x");
  StoreGroup({ItemOf("both", "x"), ItemOf("both too", "y")});
  Store({"later"}, "y");
  version_.Release();
  ASSERT_TRUE(version_.AwaitOutcomes(4));
  const std::vector<ParkedGroup> groups = List();
  ASSERT_THAT(groups, SizeIs(3));
  version_.Hold();
  Retry({groups[0].id, groups[2].id});
  version_.AwaitCall();
  Retry({groups[1].id});
  version_.Release();
  ASSERT_TRUE(version_.AwaitOutcomes(8));
  EXPECT_THAT(version_.applied(), ElementsAre("later"));
  EXPECT_THAT(List(), SizeIs(2));
  spool_->Stop();
  EXPECT_EQ(spool_->waiting(), 0u);
}

TEST_F(SpoolAdminTest, ADiscardedOperationIsGone) {
  version_.Refuse({"bad"});
  Store({"bad"}, "a");
  ASSERT_TRUE(version_.AwaitOutcomes(1));
  const int64_t id = List().at(0).id;
  EXPECT_THAT(Discard({id, id}), ElementsAre(testing::IsOk(), HasReason(Reason::kNotFound)));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_EQ(metrics_.discarded.value(), 1);
}

TEST_F(SpoolAdminTest, AStoppedSpoolSaysSo) {
  spool_->Stop();
  const auto groups = Await<std::vector<ParkedGroup>>(
      [&](auto done) { admin_->List(0, 10, kPlenty, std::move(done)); });
  EXPECT_THAT(groups, HasReason(Reason::kUnavailable));
}

}  // namespace
}  // namespace bdcsync::gateway
