// Operations that travel together: order on one entity, client batches, atomic groups, idempotency.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;
using common::v1::OUTCOME_REJECTED;
using ::testing::ElementsAre;

class Together : public CommitterFixture {
 protected:
  static std::vector<std::string> Codes(const std::vector<Result>& results) {
    std::vector<std::string> codes;
    for (const Result& result : results) {
      codes.push_back(result.has_error() ? result.error().code() : "ok");
    }
    return codes;
  }
};

TEST_F(Together, OperationsOnOneEntityAreHandledInOrderInOneAppend) {
  const auto results = CommitTogether(
      {Create("a", R"({"n":0})"), Patch("a", R"({"n":1})"), Delete("a"), Create("a", "2")});
  EXPECT_THAT(Codes(results), ElementsAre("ok", "ok", "ok", "ok"));
  EXPECT_EQ(results[3].revision(), 4);
  EXPECT_EQ(DataOf("a"), "2");
  EXPECT_EQ(log_.appends(), 2) << "one for what kept the committer busy, one for all of these";
}

TEST_F(Together, OperationsOfOneCallTravelTogether) {
  CommitAll({Update("a", "1"), Update("b", "1"), Update("c", "1")});
  EXPECT_EQ(observer_.batches, 1);
  EXPECT_EQ(log_.appends(), 1);
  EXPECT_EQ(log_.head_reads(), 1);
}

TEST_F(Together, AServerThatIsAwayKeepsNobodyFromWritingToAnother) {
  const auto far_away = [](Operation operation) {
    operation.mutable_entity()->set_space("far");
    return operation;
  };
  Commit(far_away(Create("b", "{}")));
  Restart();
  const int reads = log_.head_reads();
  log_.SetAway("far");
  const Operation far = far_away(Patch("b", R"({"n":1})"));
  auto results = CommitAll({Update("a", "1"), far, Update("c", "1")});
  EXPECT_THAT(Codes(results), ElementsAre("ok", "unavailable", "ok"));
  EXPECT_EQ(log_.head_reads(), reads + 1);
  log_.SetAway("");
  results = CommitAll({Update("a", "2"), far});
  EXPECT_THAT(Codes(results), ElementsAre("ok", "ok"));
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
}

TEST_F(Together, WhatIsCreatedIsTakenForNewUntilTheLogRefusesIt) {
  CommitAll({Create("a", "1"), Create("b", "1"), Create("c", "1")});
  EXPECT_EQ(log_.appends(), 1);
  EXPECT_EQ(log_.head_reads(), 0);
  Restart();
  EXPECT_THAT(Codes({Commit(Create("a", "2"))}), ElementsAre("already_exists"));
  EXPECT_EQ(DataOf("a"), "1");
}

TEST_F(Together, WritersOnOneBaseAreAllMergedInOneCallEach) {
  const std::string base = Commit(Create("a", R"({"w0":0,"w1":0,"w2":0,"w3":0})")).version_id();
  const int appends = log_.appends();
  const auto results =
      CommitTogether({On(Patch("a", R"({"w0":1})"), base), On(Patch("a", R"({"w1":1})"), base),
                      On(Patch("a", R"({"w2":1})"), base), On(Patch("a", R"({"w3":1})"), base)});
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[3].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"w0":1,"w1":1,"w2":1,"w3":1})");
  EXPECT_EQ(resolver_.calls(), 1);
  EXPECT_EQ(log_.appends(), appends + 2);
  EXPECT_EQ(log_.stream_reads(), 0) << "the base was at hand";
}

TEST_F(Together, AnOperationBehindAMeetingSeesItsOutcome) {
  const std::string base = Commit(Create("a", R"({"x":1,"y":1})")).version_id();
  Commit(Patch("a", R"({"x":2})"));
  const auto results = CommitTogether({On(Patch("a", R"({"y":2})"), base), Patch("a", R"({"z":3})"),
                                       On(Patch("a", R"({"y":4})"), base)});
  EXPECT_THAT(Codes(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":4,"z":3})");
  EXPECT_EQ(VersionsOf("a"), 5u);
}

TEST_F(Together, OneRefusedAmongAThousandHoldsUpNobodyElse) {
  std::vector<Operation> operations;
  for (int i = 0; i < 1000; ++i) operations.push_back(Create(absl::StrCat("e", i), "1"));
  operations[500] = Patch("e500", "{}");
  const auto results = CommitAll(operations, As::kClientBatch);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(results[i].outcome(), i == 500 ? OUTCOME_REJECTED : OUTCOME_APPLIED) << i;
  }
  EXPECT_EQ(log_.event_count(), 999u);
}

TEST_F(Together, DependantsOfARefusedOperationAreRefusedWithIt) {
  Commit(Create("a", "1"));
  const auto results = CommitAll(
      {Create("a", "2"), Update("b", "2"), Update("a", "3"), Update("a", "4")}, As::kClientBatch);
  EXPECT_THAT(Codes(results),
              ElementsAre("already_exists", "ok", "depends_on_rejected", "depends_on_rejected"));
  EXPECT_EQ(DataOf("a"), "1");
  EXPECT_EQ(Commit(Update("a", "5")).outcome(), OUTCOME_APPLIED) << "another batch is not held up";
}

TEST_F(Together, StrangersAreNotHeldUpByARefusal) {
  Commit(Create("a", "1"));
  const auto results = CommitTogether({Create("a", "2"), Update("a", "3")});
  EXPECT_THAT(Codes(results), ElementsAre("already_exists", "ok"));
  EXPECT_EQ(DataOf("a"), "3");
}

TEST_F(Together, ARefusalBehindAWriteIsDecidedOnTheStoredHead) {
  const auto results =
      CommitTogether({Create("a", "1"), Create("a", "2"), Update("a", "3"), Patch("b", "{}")});
  EXPECT_THAT(Codes(results), ElementsAre("ok", "already_exists", "ok", "not_found"));
  EXPECT_EQ(DataOf("a"), "3");
}

TEST_F(Together, AClientsLaterChangesBuildOnItsEarlierOnes) {
  const std::string base = Commit(Create("a", R"({"list":[]})")).version_id();
  const auto results =
      CommitAll({On(Patch("a", R"([{"op":"add","path":"/list/-","value":{"n":1}}])"), base),
                 On(Patch("a", R"([{"op":"replace","path":"/list/0/n","value":2}])"), base)},
                As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"list":[{"n":2}]})");
}

TEST_F(Together, AClientsChainIsMergedStepByStep) {
  const std::string base = Commit(Create("a", R"({"x":0,"y":0})")).version_id();
  Commit(Patch("a", R"({"y":5})"));
  const auto results =
      CommitAll({On(Patch("a", R"({"x":1,"new":{}})"), base),
                 On(Patch("a", R"([{"op":"add","path":"/new/k","value":1}])"), base)},
                As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":1,"y":5,"new":{"k":1}})");
}

TEST_F(Together, ARepeatedOperationGetsTheFirstAnswer) {
  const Operation create = Create("a", "1");
  const Result first = Commit(create);
  const Operation remove = Delete("a");
  const Result removed = Commit(remove);
  for (int process = 0; process < 2; ++process) {
    const Result again = Commit(create);
    EXPECT_EQ(again.outcome(), OUTCOME_DUPLICATE);
    EXPECT_EQ(again.version_id(), first.version_id());
    EXPECT_EQ(again.revision(), first.revision());
    EXPECT_EQ(again.position().seq(), first.position().seq());
    EXPECT_EQ(again.position().epoch(), first.position().epoch());
    EXPECT_EQ(again.time_ms(), first.time_ms());
    EXPECT_EQ(Commit(remove).version_id(), removed.version_id()) << "not not_found";
    Restart();
  }
  EXPECT_EQ(log_.event_count(), 2u);
}

TEST_F(Together, ARepeatedMergeGetsItsDataAgain) {
  const std::string base = Commit(Create("a", R"({"x":1,"y":1})")).version_id();
  Commit(Patch("a", R"({"x":2})"));
  const Operation ours = On(Patch("a", R"({"y":2})"), base);
  const Result first = Commit(ours);
  Commit(Update("a", "0"));
  const Result again = Commit(ours);
  EXPECT_EQ(again.outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(again.data(), first.data());
  EXPECT_EQ(DataOf("a"), "0");
}

TEST_F(Together, DataThatMakesTooLargeAnAnswerIsLeftOut) {
  // Of each merge the result has 19 bytes; the answer has a place for two and no byte less.
  Restart({.answer_data_bytes_max = 38});
  const std::string base = Commit(Create("a", R"({"x":1,"y":1,"z":1})")).version_id();
  Commit(Patch("a", R"({"x":2})"));
  const std::vector<Operation> operations = {On(Patch("a", R"({"y":2})"), base),
                                             On(Patch("a", R"({"y":3})"), base),
                                             On(Patch("a", R"({"z":2})"), base)};
  for (const auto outcome : {OUTCOME_MERGED, OUTCOME_DUPLICATE}) {
    const auto results = CommitAll(operations);
    for (const Result& result : results) EXPECT_EQ(result.outcome(), outcome);
    EXPECT_EQ(results[0].data(), R"({"x":2,"y":2,"z":1})");
    EXPECT_EQ(results[1].data(), R"({"x":2,"y":3,"z":1})");
    EXPECT_FALSE(results[1].data_left_out());
    EXPECT_EQ(results[2].data(), "");
    EXPECT_TRUE(results[2].data_left_out());
  }
  Restart({.answer_data_bytes_max = 37});
  EXPECT_TRUE(CommitAll(operations)[1].data_left_out());
  Restart({.answer_data_bytes_max = 1});
  EXPECT_FALSE(Commit(operations[0]).data_left_out()) << "what is alone has a place";
}

TEST_F(Together, AnOpIdIsNotForAnotherRequest) {
  const Operation first = Create("a", "1");
  Commit(first);
  Operation other = Update("b", "2");
  other.set_op_id(first.op_id());
  EXPECT_EQ(Commit(other).error().code(), "operation_id_reused");
  Operation refused = Patch("c", "{}");  // Would be not_found if its op_id were new.
  refused.set_op_id(first.op_id());
  EXPECT_EQ(Commit(refused).error().code(), "operation_id_reused");
  EXPECT_EQ(log_.event_count(), 1u);
}

TEST_F(Together, TwoOfOneOpIdInOneBatchAreOne) {
  const Operation create = Create("a", "1");
  const Operation update = Update("a", "2");
  const auto results = CommitTogether({create, create, update, update, Update("a", "3")});
  EXPECT_EQ(results[1].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[1].version_id(), results[0].version_id());
  EXPECT_EQ(results[3].version_id(), results[2].version_id());
  EXPECT_EQ(results[4].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(VersionsOf("a"), 3u);
}

// What the resolver decides it records under the op_id: of a decision that is not committed there
// is to be no record in the place of the one that was.
TEST_F(Together, ARepeatedMergeIsNotDecidedAgain) {
  const std::string base = Commit(Create("a", R"({"x":1})")).version_id();
  Commit(Patch("a", R"({"y":1})"));
  const Operation merged = On(Patch("a", R"({"x":2})"), base);
  Commit(merged);
  Commit(Patch("a", R"({"y":2})"));
  const int meetings = observer_.meetings;
  EXPECT_EQ(Commit(merged).outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(observer_.meetings, meetings);
}

TEST_F(Together, AMergeThatComesTwiceAtOnceIsDecidedOnce) {
  const std::string base = Commit(Create("a", R"({"x":1})")).version_id();
  Commit(Patch("a", R"({"y":1})"));
  const Operation merged = On(Patch("a", R"({"x":2})"), base);
  const auto results = CommitTogether(
      {merged, On(Patch("a", R"({"z":1})"), base), merged, On(Patch("a", R"({"w":1})"), base)});
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[2].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[2].version_id(), results[0].version_id());
  EXPECT_EQ(observer_.meetings, 3);
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":1,"z":1,"w":1})");
}

TEST_F(Together, ARepeatedBatchGoesOnWhereItStopped) {
  const Operation create = Create("a", R"({"x":1})");
  const Operation patch = Patch("a", R"({"y":2})");
  CommitAll({create}, As::kClientBatch);
  const auto results = CommitAll({create, patch}, As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"x":1,"y":2})");
}

// What its client had after the repeated operation is what it had made of its base, not what the
// merge with others made of it: else the next operation would take theirs away.
TEST_F(Together, AfterARepeatedMergeABatchGoesOnWhereItsClientWas) {
  for (const bool atomic : {false, true}) {
    for (const size_t sent_before : {0u, 1u, 2u}) {
      SCOPED_TRACE(absl::StrCat(sent_before, atomic ? " atomic" : ""));
      const std::string id = absl::StrCat("n", sent_before, atomic);
      const std::string base = Commit(Create(id, R"({"x":1,"l":[1]})")).version_id();
      Commit(Patch(id, R"({"y":1,"l":[0,1]})"));
      const std::vector<Operation> mine = {On(Update(id, R"({"x":2,"l":[1,2]})"), base),
                                           On(Patch(id, R"({"z":1})"), base),
                                           On(Update(id, R"({"x":3,"l":[1,2,3]})"), base)};
      if (sent_before > 0) {
        CommitAll({mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(sent_before)},
                  As::kClientBatch);
        Commit(Patch(id, R"({"w":1})"));
      }
      const auto results = CommitAll(mine, atomic ? As::kAtomic : As::kClientBatch);
      EXPECT_EQ(results[2].outcome(), OUTCOME_MERGED);
      EXPECT_EQ(DataOf(id), sent_before > 0 ? R"({"x":3,"l":[0,1,2,3],"y":1,"w":1})"
                                            : R"({"x":3,"l":[0,1,2,3],"y":1})");
    }
  }
}

TEST_F(Together, ARepeatedMergeAndADeletionMeetTheOthersAsIfSentOnce) {
  for (const bool repeated : {false, true}) {
    const std::string id = repeated ? "twice" : "once";
    const std::string base = Commit(Create(id, R"({"x":1})")).version_id();
    Commit(Patch(id, R"({"y":1})"));
    const std::vector<Operation> mine = {On(Patch(id, R"({"x":2})"), base), On(Delete(id), base)};
    if (repeated) CommitAll({mine[0]}, As::kClientBatch);
    CommitAll(mine, As::kClientBatch);
    EXPECT_EQ(DataOf(id), DataOf("once")) << "an edit of somebody else wins";
  }
}

TEST_F(Together, WhatABatchHoldsTwiceIsDoneOnceAlsoForWhatFollows) {
  const std::string base = Commit(Create("a", R"({"l":[1]})")).version_id();
  Commit(Patch("a", R"({"y":1})"));
  const Operation first = On(Patch("a", R"([{"op":"add","path":"/l/-","value":2}])"), base);
  const Operation second = On(Patch("a", R"([{"op":"add","path":"/l/-","value":3}])"), base);
  const Operation third = On(Patch("a", R"([{"op":"add","path":"/l/-","value":4}])"), base);
  CommitAll({first, first, second, first, third}, As::kClientBatch);
  EXPECT_EQ(DataOf("a"), R"({"l":[1,2,3,4],"y":1})");
}

TEST_F(Together, AnAtomicBatchAppliesWhole) {
  const auto results =
      CommitAll({Create("a", "1"), Create("b", "1"), Update("a", "2")}, As::kAtomic);
  EXPECT_THAT(Codes(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(DataOf("a"), "2");
  EXPECT_EQ(log_.appends(), 1);
}

TEST_F(Together, AnAtomicBatchIsRefusedWhole) {
  Commit(Create("c", "1"));
  const auto results =
      CommitAll({Create("a", "1"), Create("c", "2"), Create("b", "1")}, As::kAtomic);
  EXPECT_THAT(Codes(results),
              ElementsAre("depends_on_rejected", "already_exists", "depends_on_rejected"));
  EXPECT_EQ(log_.event_count(), 1u);
  const auto twice = CommitAll({Create("a", "1"), Create("a", "2")}, As::kAtomic);
  EXPECT_THAT(Codes(twice), ElementsAre("depends_on_rejected", "already_exists"));
}

TEST_F(Together, AnAtomicBatchWithAMalformedMemberIsRefusedWhole) {
  Operation elsewhere = Create("b", "1");
  elsewhere.mutable_entity()->set_space("other");
  const auto results = CommitAll({Create("a", "1"), elsewhere}, As::kAtomic);
  EXPECT_EQ(results[0].outcome(), OUTCOME_REJECTED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_REJECTED);
  EXPECT_EQ(log_.event_count(), 0u);
}

TEST_F(Together, ARepeatedAtomicBatchGetsItsFirstAnswers) {
  const std::vector<Operation> batch = {Create("a", "1"), Create("b", "1"), Delete("a")};
  const auto first = CommitAll(batch, As::kAtomic);
  Restart();
  const auto again = CommitAll(batch, As::kAtomic);
  for (size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(again[i].outcome(), OUTCOME_DUPLICATE);
    EXPECT_EQ(again[i].version_id(), first[i].version_id());
  }
  EXPECT_EQ(log_.event_count(), 3u);
}

TEST_F(Together, ARefusalHoldsUpWhatFollowsOnADuplicateToo) {
  const Operation known = Update("a", "1");
  Commit(known);
  const auto results = CommitAll(
      {On(Update("a", "2"), "9-00000000000000ff"), known, known, Delete("a")}, As::kClientBatch);
  EXPECT_THAT(Codes(results), ElementsAre("base_not_found", "ok", "ok", "depends_on_rejected"));
  EXPECT_EQ(results[1].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(DataOf("a"), "1");
}

TEST_F(Together, AnOperationTwiceInAnAtomicBatchIsCommittedOnce) {
  const Operation update = Update("a", "1");
  const auto results = CommitAll({update, Create("b", "1"), Update("a", "2"), update}, As::kAtomic);
  EXPECT_THAT(Codes(results), ElementsAre("ok", "ok", "ok", "ok"));
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[3].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[3].version_id(), results[0].version_id());
  EXPECT_EQ(results[3].position().seq(), results[0].position().seq());
  EXPECT_EQ(DataOf("a"), "2");
  EXPECT_EQ(VersionsOf("a"), 2u);
  const auto again = CommitAll({update, update}, As::kAtomic);
  EXPECT_EQ(again[0].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(again[1].outcome(), OUTCOME_DUPLICATE);
}

TEST_F(Together, WhatRefusesAnAtomicBatchRefusesRepeatsToo) {
  const Operation update = Update("a", "1");
  const auto results = CommitAll({update, update, Patch("none", "{}")}, As::kAtomic);
  EXPECT_THAT(Codes(results),
              ElementsAre("depends_on_rejected", "depends_on_rejected", "not_found"));
  EXPECT_EQ(VersionsOf("a"), 0u);
}

TEST_F(Together, AnAtomicBatchMayNotGiveOneOpIdToTwoOperations) {
  const Operation update = Update("a", "1");
  for (const char* id : {"a", "b"}) {
    Operation other = Update(id, "2");
    other.set_op_id(update.op_id());
    EXPECT_THAT(Codes(CommitAll({update, other}, As::kAtomic)),
                ElementsAre("depends_on_rejected", "operation_id_reused"));
    EXPECT_EQ(VersionsOf(id), 0u);
  }
}

TEST_F(Together, AnAtomicBatchMergesToo) {
  const std::string base = Commit(Create("a", R"({"x":1,"y":1})")).version_id();
  Commit(Patch("a", R"({"x":2})"));
  const auto results =
      CommitAll({On(Patch("a", R"({"y":2})"), base), Create("b", "1")}, As::kAtomic);
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":2})");
}

// Lessons, test 14: n - 1, n, n + 1, all refused.
TEST_F(Together, ClientBatchesAroundTheBatchSizeAreWhole) {
  CommitLimits limits;
  limits.batch_items_max = 4;
  Restart(limits);
  for (const size_t count : {3u, 4u, 5u, 9u}) {
    std::vector<Operation> operations = {Create(absl::StrCat("n", count), "0")};
    for (size_t i = 1; i < count; ++i) {
      operations.push_back(Update(absl::StrCat("n", count), absl::StrCat(i)));
    }
    const auto results = CommitAll(operations, As::kClientBatch);
    EXPECT_EQ(results.back().revision(), static_cast<int64_t>(count));
    operations.front() = Patch(absl::StrCat("none", count), "{}");
    for (size_t i = 1; i < count; ++i) operations[i] = Delete(absl::StrCat("none", count));
    const auto codes = Codes(CommitAll(operations, As::kClientBatch));
    EXPECT_EQ(codes.front(), "not_found");
    EXPECT_EQ(codes.back(), "depends_on_rejected");
  }
}

}  // namespace
}  // namespace bdcsync::version::testing
