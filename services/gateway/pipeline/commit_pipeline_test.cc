#include "services/gateway/pipeline/commit_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/log/capture.h"
#include "libs/testing/status_matchers.h"
#include "services/gateway/pipeline/fake_version.h"
#include "services/gateway/pipeline/pipeline_metrics.h"

namespace bdcsync::gateway {
namespace {

using common::v1::Operation;
using sync::v1::OperationResult;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class FakeSpool final : public StoreAndForward {
 public:
  bool Holds(absl::string_view space) const override { return held.contains(space); }
  void Store(std::vector<Group> groups, Done done) override {
    std::vector<absl::Status> statuses(groups.size(), answer);
    for (Group& group : groups) {
      if (answer.ok()) held.insert(group.items.front().operation().entity().space());
      stored.push_back(std::move(group));
    }
    done(statuses);
  }

  absl::flat_hash_set<std::string> held;
  std::vector<Group> stored;
  absl::Status answer;
};

class RecordingMiddleware final : public OperationMiddleware {
 public:
  absl::Status Before(const Caller&, Operation& operation) override {
    operation.set_message("seen");
    if (operation.entity().entity_id() == "forbidden") {
      return MakeError(Reason::kPreconditionFailed, "not this one");
    }
    return absl::OkStatus();
  }
  void After(const Caller&, absl::string_view request_id, common::v1::OperationKind,
             const OperationResult& result) override {
    request_ids.emplace_back(request_id);
    outcomes.push_back(result.outcome());
  }

  std::vector<std::string> request_ids;
  std::vector<common::v1::Outcome> outcomes;
};

Operation Update(const std::string& id, const std::string& space = "") {
  Operation operation;
  operation.mutable_entity()->set_space(space);
  operation.mutable_entity()->set_entity_type("note");
  operation.mutable_entity()->set_entity_id(id);
  operation.set_kind(common::v1::OPERATION_KIND_UPDATE);
  operation.set_data("{}");
  return operation;
}

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() {
    Caller caller;
    caller.user_id = "ada";
    caller.device_id = "phone";
    caller.spaces = {{"team", Access::kWrite}, {"news", Access::kRead}};
    caller_ = std::make_shared<const Caller>(caller);
  }
  void Make(PipelineLimits limits = {}) {
    pipeline_.emplace(
        PipelineDependencies{
            version_, spool_, clock_, random_, metrics_, log_.logger(), {&middleware_}},
        limits);
  }
  // The results so far of everything submitted.
  void Submit(std::vector<Operation> operations, SubmitOptions options = {}) {
    if (!pipeline_.has_value()) Make();
    pipeline_->Submit(caller_, std::move(operations), options,
                      [this](std::vector<OperationResult> results) {
                        for (OperationResult& result : results) results_.push_back(result);
                      });
  }
  std::string Code(size_t index) { return results_.at(index).error().code(); }
  static SubmitOptions Batch() { return {.batch = true}; }
  static SubmitOptions Atomic() { return {.batch = true, .atomic = true}; }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{1};
  metrics::Registry registry_;
  PipelineMetrics metrics_{registry_};
  log::CapturedLog log_;
  FakeVersion version_;
  FakeSpool spool_;
  RecordingMiddleware middleware_;
  std::optional<CommitPipeline> pipeline_;
  std::shared_ptr<const Caller> caller_;
  std::vector<OperationResult> results_;
};

TEST_F(PipelineTest, AnOperationIsCommittedWithWhoAsksAndAnsweredWithItsCursor) {
  Submit({Update("a")});
  ASSERT_THAT(version_.commits, SizeIs(1));
  const version::v1::CommitItem& item = version_.commits[0].items(0);
  EXPECT_EQ(item.operation().entity().space(), "user:ada");
  EXPECT_EQ(item.operation().entity().branch(), "main");
  EXPECT_EQ(item.operation().message(), "seen");
  EXPECT_NE(item.operation().request_hash(), 0u);
  EXPECT_EQ(item.actor().user_id(), "ada");
  EXPECT_EQ(item.actor().device_id(), "phone");
  EXPECT_EQ(item.batch(), 0u);
  ASSERT_THAT(results_, SizeIs(1));
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(results_[0].op_id(), item.operation().op_id());
  EXPECT_THAT(results_[0].op_id(), SizeIs(36));
  EXPECT_EQ(results_[0].entity().entity_id(), "a");
  EXPECT_NE(results_[0].cursor(), "");
  EXPECT_THAT(middleware_.outcomes, ElementsAre(common::v1::OUTCOME_APPLIED));
}

TEST_F(PipelineTest, NothingIsAResultToo) {
  bool done = false;
  Make();
  pipeline_->Submit(caller_, {}, {}, [&](std::vector<OperationResult> results) {
    done = true;
    EXPECT_THAT(results, IsEmpty());
  });
  EXPECT_TRUE(done);
}

TEST_F(PipelineTest, BadNamesSizesAndBodiesAreRefusedWithTheFieldAtFault) {
  Operation bad_type = Update("a");
  bad_type.mutable_entity()->set_entity_type("no spaces");
  Operation no_data = Update("a");
  no_data.clear_data();
  Operation two_bodies = Update("a");
  two_bodies.set_patch("{}");
  Operation no_kind = Update("a");
  no_kind.clear_kind();
  Operation large = Update("a");
  large.set_data(std::string(OperationLimits().data_bytes_max + 1, ' '));
  Operation fits = Update("a");
  fits.set_data(std::string(OperationLimits().data_bytes_max, ' '));
  Operation bad_op_id = Update("a");
  bad_op_id.set_op_id(std::string(65, 'x'));
  for (const Operation& operation :
       {bad_type, no_data, two_bodies, no_kind, large, bad_op_id, fits}) {
    Submit({operation});
  }
  const std::vector<std::string> paths = {"entity_type", "data", "patch",
                                          "operation",   "data", "op_id"};
  for (size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(results_[i].outcome(), common::v1::OUTCOME_REJECTED);
    EXPECT_EQ(results_[i].error().path(), paths[i]);
    EXPECT_FALSE(results_[i].error().retryable());
  }
  EXPECT_EQ(Code(4), "too_large");
  EXPECT_EQ(results_.back().outcome(), common::v1::OUTCOME_APPLIED);
}

TEST_F(PipelineTest, AChangeFromAClockThatIsWrongIsRefused) {
  const OperationLimits limits;
  const auto made_at = [this](absl::Duration after_now) {
    Operation operation = Update("a");
    operation.set_client_time_ms(absl::ToUnixMillis(clock_.Now() + after_now));
    return operation;
  };
  const absl::Duration little = absl::Milliseconds(1);
  Submit({made_at(limits.client_time_ahead_max)});
  Submit({made_at(limits.client_time_ahead_max + little)});
  Submit({made_at(-limits.client_time_behind_max)});
  Submit({made_at(-limits.client_time_behind_max - little)});
  Submit({made_at(absl::Hours(24 * 3650))});
  Submit({Update("a")});  // No time is no wrong time.
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(Code(1), "clock_skew");
  EXPECT_EQ(results_[1].error().path(), "client_time");
  EXPECT_EQ(results_[2].outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(Code(3), "clock_skew");
  EXPECT_EQ(Code(4), "clock_skew");
  EXPECT_EQ(results_[5].outcome(), common::v1::OUTCOME_APPLIED);
}

TEST_F(PipelineTest, WritingNeedsMoreThanReading) {
  Submit({Update("a", "news")});
  Submit({Update("a", "unknown")});
  Submit({Update("a", "team")});
  EXPECT_EQ(Code(0), "forbidden");
  EXPECT_EQ(Code(1), "forbidden");
  EXPECT_EQ(results_[2].outcome(), common::v1::OUTCOME_APPLIED);
}

TEST_F(PipelineTest, TooManyOperationsAreToldWhenToComeBack) {
  PipelineLimits limits;
  limits.rate = {.per_second = 10, .burst = 2};
  Make(limits);
  for (int i = 0; i < 3; ++i) Submit({Update("a")});
  EXPECT_EQ(Code(1), "");
  EXPECT_EQ(Code(2), "rate_limited");
  EXPECT_TRUE(results_[2].error().retryable());
  EXPECT_EQ(results_[2].error().retry_after_ms(), 100);
  clock_.Advance(absl::Milliseconds(100));
  Submit({Update("a")});
  EXPECT_EQ(Code(3), "");
}

TEST_F(PipelineTest, MiddlewareMayRefuse) {
  Submit({Update("forbidden")});
  EXPECT_EQ(Code(0), "precondition_failed");
  EXPECT_THAT(version_.commits, IsEmpty());
  EXPECT_THAT(middleware_.outcomes, ElementsAre(common::v1::OUTCOME_REJECTED));
}

// Lesson 3 of the acceptance tests, this service's half.
TEST_F(PipelineTest, OfAThousandOperationsOneRefusedTakesOnlyItsDependantsWithIt) {
  PipelineLimits limits;
  limits.rate.burst = 1000;
  Make(limits);
  std::vector<Operation> operations;
  for (int i = 0; i < 1000; ++i) operations.push_back(Update(absl::StrCat("e", i % 500)));
  operations[7].clear_data();
  Submit(operations, Batch());
  ASSERT_THAT(results_, SizeIs(1000));
  for (size_t i = 0; i < results_.size(); ++i) {
    EXPECT_EQ(Code(i), i == 7 ? "invalid_argument" : i == 507 ? "depends_on_rejected" : "") << i;
  }
}

TEST_F(PipelineTest, ABatchIsMarkedAndTravelsInOneCallPerSpace) {
  Submit({Update("a", "team"), Update("b"), Update("a", "team")}, Batch());
  ASSERT_THAT(version_.commits, SizeIs(2));
  const int team = version_.commits[0].items_size() == 2 ? 0 : 1;
  EXPECT_EQ(version_.commits[team].items(0).batch(), version_.commits[team].items(1).batch());
  EXPECT_NE(version_.commits[team].items(0).batch(), 0u);
  EXPECT_EQ(version_.commits[team].items(0).atomic_group(), 0u);
}

TEST_F(PipelineTest, AnAtomicBatchIsOneGroupOfOneSpaceOrNothing) {
  Submit({Update("a"), Update("b")}, Atomic());
  ASSERT_THAT(version_.commits, SizeIs(1));
  EXPECT_NE(version_.commits[0].items(0).atomic_group(), 0u);
  EXPECT_EQ(version_.commits[0].items(0).atomic_group(),
            version_.commits[0].items(1).atomic_group());
  Submit({Update("a"), Update("b", "team")}, Atomic());
  EXPECT_EQ(Code(2), "invalid_argument");
  EXPECT_EQ(Code(3), "invalid_argument");
  EXPECT_THAT(version_.commits, SizeIs(1));
}

TEST_F(PipelineTest, OfAnAtomicBatchTheOperationsToBlameAreToldFromTheOthers) {
  Operation bad = Update("b");
  bad.set_client_time_ms(absl::ToUnixMillis(clock_.Now() + absl::Hours(1)));
  Submit({Update("a"), bad, Update("b"), bad}, Atomic());
  EXPECT_EQ(Code(0), "depends_on_rejected");
  EXPECT_EQ(Code(1), "clock_skew");
  EXPECT_EQ(Code(2), "depends_on_rejected");
  EXPECT_EQ(Code(3), "clock_skew");
  EXPECT_THAT(version_.commits, IsEmpty());
  EXPECT_THAT(middleware_.outcomes, Each(common::v1::OUTCOME_REJECTED));
}

TEST_F(PipelineTest, BatchesAreTakenUpToTheirLimitAndNotBeyond) {
  PipelineLimits limits;
  limits.operations_per_batch_max = 3;
  Make(limits);
  Submit({Update("a"), Update("b"), Update("c")}, Batch());
  Submit({Update("a"), Update("b"), Update("c"), Update("d")}, Batch());
  EXPECT_EQ(Code(2), "");
  EXPECT_EQ(Code(3), "too_large");
}

TEST_F(PipelineTest, WhileABatchIsInFlightItsEntitiesWaitAndOthersGo) {
  version_.answers_at_once = false;
  for (const char* id : {"a", "a", "b"}) Submit({Update(id)});
  EXPECT_THAT(version_.commits, SizeIs(2));  // a, b; the second of a waits.
  version_.AnswerNext();
  EXPECT_THAT(version_.commits, SizeIs(3));
  version_.AnswerNext();
  version_.AnswerNext();
  EXPECT_THAT(results_, SizeIs(3));
  EXPECT_TRUE(pipeline_->idle());
}

TEST_F(PipelineTest, ABatchWaitsForAllItsEntitiesAndWhatComesLaterForTheBatch) {
  PipelineLimits limits;
  limits.batcher.in_flight_max = 4;
  Make(limits);
  version_.answers_at_once = false;
  Submit({Update("a")});
  Submit({Update("b"), Update("a")}, Batch());
  Submit({Update("b")});
  Submit({Update("b", "team")});  // Of another space, hence another entity.
  ASSERT_THAT(version_.commits, SizeIs(2));
  EXPECT_EQ(version_.commits[1].items(0).operation().entity().space(), "team");
  version_.AnswerNext();
  ASSERT_THAT(version_.commits, SizeIs(3));
  ASSERT_THAT(version_.commits[2].items(), SizeIs(3));
  EXPECT_NE(version_.commits[2].items(0).batch(), 0u);
  EXPECT_EQ(version_.commits[2].items(1).operation().entity().entity_id(), "a");
  EXPECT_EQ(version_.commits[2].items(2).batch(), 0u);
}

TEST_F(PipelineTest, SpacesAreSpreadOverTheReplicas) {
  version_.replica_count = 3;
  version_.answers_at_once = false;
  PipelineLimits limits;
  limits.rate.burst = 100;
  Make(limits);
  caller_ = std::make_shared<const Caller>(Caller{.user_id = "root", .admin = true});
  for (int i = 0; i < 50; ++i) Submit({Update("a", absl::StrCat("s", i))});
  std::set<size_t> replicas;
  for (const auto& call : version_.waiting) replicas.insert(call.replica);
  EXPECT_THAT(replicas, ElementsAre(0, 1, 2));
  while (!version_.waiting.empty()) version_.AnswerNext();
  EXPECT_THAT(results_, SizeIs(50));
}

TEST_F(PipelineTest, WhenTheVersionServiceIsAwayOperationsAreStoredAndAnsweredQueued) {
  version_.failure = MakeError(Reason::kUnavailable, "away");
  Submit({Update("a"), Update("b")}, Batch());
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_QUEUED);
  EXPECT_EQ(results_[1].outcome(), common::v1::OUTCOME_QUEUED);
  ASSERT_THAT(spool_.stored, SizeIs(1));  // The batch stays together.
  EXPECT_EQ(spool_.stored[0].items[0].operation().op_id(), results_[0].op_id());
  EXPECT_EQ(spool_.stored[0].items[1].operation().data(), "{}");
  EXPECT_EQ(spool_.stored[0].caller->user_id, "ada");
}

TEST_F(PipelineTest, AnOperationOfUnknownOutcomeIsStoredToo) {
  version_.decide = [](const version::v1::CommitItem& item) {
    version::v1::CommitResult result;
    const bool known = item.operation().entity().entity_id() == "known";
    result.set_outcome(known ? common::v1::OUTCOME_APPLIED : common::v1::OUTCOME_REJECTED);
    if (!known) result.mutable_error()->set_code("unavailable");
    return result;
  };
  Submit({Update("known"), Update("unknown")}, Batch());
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_EQ(results_[1].outcome(), common::v1::OUTCOME_QUEUED);
  ASSERT_THAT(spool_.stored, SizeIs(1));
  EXPECT_THAT(spool_.stored[0].items, SizeIs(1));
}

// Of what is sent to "large" the data is left out.
version::v1::CommitResult LeavesOutLarge(const version::v1::CommitItem& item) {
  version::v1::CommitResult result;
  result.set_outcome(common::v1::OUTCOME_MERGED);
  result.set_version_id("7-0000000000000001");
  result.set_data_left_out(item.operation().entity().entity_id() == "large");
  return result;
}

TEST_F(PipelineTest, DataThatWasLeftOutIsReadAndHoldsUpNobody) {
  version_.decide = LeavesOutLarge;
  version_.reads_at_once = false;
  version_.entity = version::v1::EntityState();
  version_.entity->set_data("[1]");
  PipelineLimits limits;
  limits.batcher.in_flight_max = 1;
  Make(limits);
  Submit({Update("large"), Update("large"), Update("a")}, Batch());
  EXPECT_EQ(version_.last_query.version_id(), "7-0000000000000001");
  EXPECT_EQ(version_.last_query.entity().entity_id(), "large");
  EXPECT_THAT(version_.reads, SizeIs(1)) << "one after the other";
  Submit({Update("a")});
  EXPECT_THAT(results_, SizeIs(1));
  EXPECT_FALSE(pipeline_->idle());
  version_.AnswerRead();
  version_.AnswerRead();
  ASSERT_THAT(results_, SizeIs(4));
  EXPECT_EQ(results_[1].data(), "[1]");
  EXPECT_EQ(results_[2].data(), "[1]");
  EXPECT_EQ(results_[3].data(), "");
  EXPECT_EQ(metrics_.results_left_out.value(), 2);
  for (const OperationResult& result : results_) {
    EXPECT_EQ(result.outcome(), common::v1::OUTCOME_MERGED);
  }
  EXPECT_TRUE(pipeline_->idle());
}

TEST_F(PipelineTest, WhereDataThatWasLeftOutCannotBeReadTheOperationIsStored) {
  version_.decide = LeavesOutLarge;
  version_.entity = absl::UnavailableError("away");
  Submit({Update("large"), Update("a"), Update("large")}, Batch());
  ASSERT_THAT(results_, SizeIs(3));
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_QUEUED);
  EXPECT_EQ(results_[1].outcome(), common::v1::OUTCOME_MERGED);
  EXPECT_EQ(results_[2].outcome(), common::v1::OUTCOME_QUEUED);
  ASSERT_THAT(spool_.stored, SizeIs(1));
  EXPECT_THAT(spool_.stored[0].items, SizeIs(2));
  EXPECT_EQ(spool_.stored[0].items[1].operation().op_id(), results_[2].op_id());
  EXPECT_TRUE(pipeline_->idle());
}

TEST_F(PipelineTest, WhatIsStoredOfOneCallIsPartedByRequestAndSpace) {
  version_.answers_at_once = false;
  PipelineLimits limits;
  limits.batcher.in_flight_max = 1;
  Make(limits);
  Submit({Update("first")});
  Submit({Update("a", "team"), Update("b"), Update("c", "team")}, Batch());
  Submit({Update("d", "team")}, Batch());
  Caller eve;
  eve.user_id = "eve";
  eve.spaces = {{"team", Access::kWrite}};
  caller_ = std::make_shared<const Caller>(eve);
  Submit({Update("e", "team")});
  version_.AnswerNext();
  ASSERT_THAT(version_.commits, SizeIs(2));
  const version::v1::CommitRequest& together = version_.commits[1];
  ASSERT_THAT(together.items(), SizeIs(5));
  EXPECT_EQ(together.items(0).batch(), together.items(2).batch());
  EXPECT_NE(together.items(0).batch(), together.items(3).batch()) << "of another request";
  version_.failure = absl::CancelledError("the version service is left");
  version_.AnswerNext();
  std::vector<std::string> stored;
  for (const StoreAndForward::Group& group : spool_.stored) {
    std::string& told = stored.emplace_back(group.caller->user_id);
    for (const auto& item : group.items) told += " " + item.operation().entity().entity_id();
  }
  EXPECT_THAT(stored, ElementsAre("ada a c", "ada b", "ada d", "eve e"));
  ASSERT_THAT(results_, SizeIs(6));
  EXPECT_EQ(results_.back().outcome(), common::v1::OUTCOME_QUEUED);
}

TEST_F(PipelineTest, AnAnswerWithoutAllResultsIsAFailureOfTheCall) {
  version_.results_missing = 1;
  Submit({Update("a"), Update("b")}, Batch());
  EXPECT_EQ(Code(0), "internal");
  EXPECT_EQ(Code(1), "internal");
  EXPECT_THAT(spool_.stored, IsEmpty());
}

TEST_F(PipelineTest, BehindStoredOperationsOfASpaceEverythingIsStored) {
  spool_.held.insert("team");
  Submit({Update("a", "team")});
  Submit({Update("a")});
  EXPECT_EQ(results_[0].outcome(), common::v1::OUTCOME_QUEUED);
  EXPECT_EQ(results_[1].outcome(), common::v1::OUTCOME_APPLIED);
  EXPECT_THAT(version_.commits, SizeIs(1));
}

TEST_F(PipelineTest, WithoutRoomToStoreTheCallerIsToldToComeBack) {
  version_.failure = MakeError(Reason::kUnavailable, "away");
  spool_.answer = MakeRetryableError(Reason::kUnavailable, absl::Seconds(5), "the spool is full");
  Submit({Update("a")});
  EXPECT_EQ(Code(0), "unavailable");
  EXPECT_TRUE(results_[0].error().retryable());
  EXPECT_EQ(results_[0].error().retry_after_ms(), 5000);
}

TEST_F(PipelineTest, ARefusedCallIsNotStored) {
  version_.failure = MakeError(Reason::kInvalidArgument, "too many items");
  Submit({Update("a")});
  EXPECT_EQ(Code(0), "invalid_argument");
  EXPECT_THAT(spool_.stored, IsEmpty());
}

TEST_F(PipelineTest, WithTooManyWaitingTheRestIsRefusedAtOnce) {
  PipelineLimits limits;
  limits.batcher.queued_items_max = 2;
  Make(limits);
  version_.answers_at_once = false;
  for (int i = 0; i < 4; ++i) Submit({Update("a")});
  ASSERT_THAT(results_, SizeIs(1));  // One in flight, two wait.
  EXPECT_EQ(Code(0), "unavailable");
  EXPECT_TRUE(results_[0].error().retryable());
  while (!version_.waiting.empty()) version_.AnswerNext();
  EXPECT_THAT(results_, SizeIs(4));
}

TEST_F(PipelineTest, ARequestThatTravelsAloneKeepsItsId) {
  SubmitOptions options;
  options.request_id = "\"r 1\"";
  Submit({Update("a")}, options);
  EXPECT_EQ(version_.traces.back().request_id, "r1");
  Caller caller = *caller_;
  caller.session_id = "session";
  caller_ = std::make_shared<const Caller>(caller);
  Submit({Update("a"), Update("b")}, options);
  EXPECT_EQ(version_.traces.back().request_id, "session/r1");
  Submit({Update("a")});
  EXPECT_THAT(version_.traces.back().request_id, StartsWith("batch-"));
  EXPECT_EQ(version_.traces.back().not_after, absl::InfiniteDuration());
  EXPECT_THAT(middleware_.request_ids, ElementsAre("r1", "session/r1", "session/r1", ""));
}

TEST_F(PipelineTest, ABatchOfSeveralRequestsHasAnIdAndALogLineThatTellsTheirs) {
  version_.answers_at_once = false;
  PipelineLimits limits;
  limits.batcher.in_flight_max = 1;
  Make(limits);
  for (const char* id : {"first", "second", "third"}) Submit({Update(id)}, {.request_id = id});
  while (!version_.waiting.empty()) version_.AnswerNext();
  ASSERT_EQ(version_.traces.size(), 2u);
  EXPECT_EQ(version_.traces[0].request_id, "first");
  const std::string batch = version_.traces[1].request_id;
  EXPECT_THAT(batch, StartsWith("batch-"));
  EXPECT_THAT(log_.lines(),
              Contains(AllOf(HasSubstr(batch), HasSubstr(R"("request_ids":"second,third")"))));
}

TEST_F(PipelineTest, ACommitThatFailsIsLoggedWithItsRequestAndOperation) {
  version_.failure = absl::UnavailableError("away");
  Operation operation = Update("a");
  operation.set_op_id("op-1");
  Submit({operation}, {.request_id = "r-1"});
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr(R"("request_id":"r-1")"),
                                           HasSubstr(R"("op_id":"op-1")"), HasSubstr("away"))));
}

}  // namespace
}  // namespace bdcsync::gateway
