// Changes that a person has to decide: kept on a branch, told once, and in nobody's way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/entity/version_id.h"
#include "services/version/testing/conflict_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_CONFLICT;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;
using ::testing::ElementsAre;

class Conflicts : public ConflictFixture {};

TEST_F(Conflicts, AChangeThatAsksIsKeptWholeOnABranchAndMainStays) {
  const std::string base = Diverge();
  const Operation ours = On(Patch("a", R"({"status":"ours","n":2})"), base);
  const Result result = Commit(ours);
  EXPECT_EQ(result.outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(result.branch(), "conflict/" + result.conflict_id());
  EXPECT_EQ(result.revision(), 1);
  EXPECT_EQ(DataOf("a"), R"({"status":"theirs","title":"theirs","n":1})");
  const auto branch = Branch(result.conflict_id());
  ASSERT_EQ(branch.size(), 1u);
  EXPECT_EQ(branch[0].data(), R"({"status":"ours","title":"new","n":2})");
  EXPECT_EQ(entity::MakeVersionId(1, branch[0].event_id()), result.version_id());
  const v1::VersionMeta meta = Meta(branch[0]);
  EXPECT_EQ(meta.outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(meta.conflict_id(), result.conflict_id());
  EXPECT_EQ(meta.op_id(), ours.op_id());
  EXPECT_THAT(meta.parents(), ElementsAre(base));
  EXPECT_EQ(branch[0].kind(), event_store::v1::STREAM_KIND_ENTITY);
}

TEST_F(Conflicts, TheFactSaysWhatIsOpenWithoutTheValues) {
  const std::string base = Diverge();
  const Result result = Commit(On(Patch("a", R"({"status":"ours"})"), base));
  const auto facts = log_.Stream("s", "!conflicts:note:a");
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].kind(), event_store::v1::STREAM_KIND_CONFLICT);
  v1::ConflictFact fact;
  ASSERT_TRUE(fact.ParseFromString(facts[0].meta()));
  ASSERT_EQ(Open().conflicts_size(), 1);
  EXPECT_EQ(fact.conflict().SerializeAsString(), Open().conflicts(0).SerializeAsString());
  const conflict::v1::Conflict& conflict = fact.conflict();
  EXPECT_EQ(conflict.conflict_id(), result.conflict_id());
  EXPECT_EQ(conflict.state(), conflict::v1::CONFLICT_STATE_OPEN);
  EXPECT_EQ(conflict.base_version_id(), base);
  EXPECT_EQ(conflict.theirs_version_id(), head_);
  EXPECT_EQ(conflict.ours_version_id(), result.version_id());
  EXPECT_EQ(conflict.user_id(), "ada");
  EXPECT_EQ(conflict.device_id(), "phone");
  ASSERT_EQ(conflict.places_size(), 1);
  EXPECT_EQ(conflict.places(0).decision().path(), "/status");
  EXPECT_EQ(conflict.places(0).decision().ours(), "");
}

TEST_F(Conflicts, ConflictIsToldBeforeTheAnswerAndWithTheValues) {
  const Result result = Commit(On(Patch("a", R"({"status":"ours"})"), Diverge()));
  const conflict::v1::Conflict record = desk_.Record(result.conflict_id());
  EXPECT_EQ(record.state(), conflict::v1::CONFLICT_STATE_OPEN);
  EXPECT_EQ(record.ours_version_id(), result.version_id());
  EXPECT_EQ(record.opened_ms(), result.time_ms());
  EXPECT_EQ(record.places(0).decision().ours(), R"("ours")");
  EXPECT_EQ(observer_.opened, 1);
  EXPECT_EQ(observer_.facts_lost, 0);
}

TEST_F(Conflicts, WithConflictAwayTheAnswerIsTheSameAndTheFactIsCounted) {
  const std::string base = Diverge();
  desk_.RefuseFacts(absl::UnavailableError("away"));
  EXPECT_EQ(Commit(On(Patch("a", R"({"status":"ours"})"), base)).outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(observer_.facts_lost, 1);
  EXPECT_EQ(Open().conflicts_size(), 1);
}

TEST_F(Conflicts, ARepeatedRequestGetsItsFirstAnswer) {
  const Operation ours = On(Patch("a", R"({"status":"ours"})"), Diverge());
  const Result first = Commit(ours);
  Commit(Update("a", R"({"status":"new","title":"new","n":1})"));  // Now it would meet nothing.
  for (int process = 0; process < 2; ++process) {
    const Result again = Commit(ours);
    EXPECT_EQ(again.outcome(), OUTCOME_DUPLICATE);
    EXPECT_EQ(again.conflict_id(), first.conflict_id());
    EXPECT_EQ(again.branch(), first.branch());
    EXPECT_EQ(again.version_id(), first.version_id());
    EXPECT_EQ(again.position().seq(), first.position().seq());
    Restart();
  }
  EXPECT_EQ(Open().conflicts_size(), 1);
  EXPECT_EQ(observer_.opened, 1);
}

TEST_F(Conflicts, ALostAnswerIsFoundAgain) {
  const Operation ours = On(Patch("a", R"({"status":"ours"})"), Diverge());
  Restart();
  log_.FailWith(absl::UnavailableError("lost"), /*lose_answers=*/true);
  EXPECT_EQ(Commit(ours).error().code(), "unavailable");
  log_.FailWith(absl::OkStatus());
  log_.BeforeNextAppend([&] { log_.FailWith(absl::UnavailableError("lost"), true); });
  EXPECT_EQ(Commit(ours).error().code(), "unavailable");
  log_.FailWith(absl::OkStatus());
  const Result found = Commit(ours);
  EXPECT_EQ(found.outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(found.branch(), "conflict/" + found.conflict_id());
  EXPECT_EQ(Branch(found.conflict_id()).size(), 1u);
  EXPECT_EQ(Open().conflicts_size(), 1);
}

TEST_F(Conflicts, OperationsBehindItAreDecidedOnTheSameHead) {
  const std::string base = Diverge();
  const auto results =
      CommitTogether({On(Patch("a", R"({"n":5})"), base), On(Patch("a", R"({"status":"x"})"), base),
                      On(Patch("a", R"({"m":6})"), base), Patch("a", R"({"k":7})")});
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(results[2].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[3].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"status":"theirs","title":"theirs","n":5,"m":6,"k":7})");
  EXPECT_EQ(VersionsOf("a"), 5u);
  EXPECT_EQ(Open().conflicts(0).theirs_version_id(), results[0].version_id())
      << "the head that it met is stored";
}

TEST_F(Conflicts, SeveralOpenOneAfterTheOther) {
  const std::string base = Diverge();
  const auto results =
      CommitTogether({On(Patch("a", R"({"status":"x"})"), base),
                      On(Patch("a", R"({"status":"y"})"), base), Update("b", "1")});
  EXPECT_EQ(results[0].outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  EXPECT_NE(results[0].conflict_id(), results[1].conflict_id());
  EXPECT_EQ(results[2].outcome(), OUTCOME_APPLIED);
  ASSERT_EQ(Open().conflicts_size(), 2);
  EXPECT_EQ(Open().conflicts(0).conflict_id(), results[0].conflict_id());
}

TEST_F(Conflicts, OnlyAHeadThatTheLogConfirmsIsAskedAbout) {
  const std::string base = Diverge();
  // Another replica has taken back what would be met.
  WriteElsewhere("a", R"({"status":"new","title":"new","n":1})");
  EXPECT_EQ(Commit(On(Patch("a", R"({"status":"ours"})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(Open().conflicts_size(), 0);
}

TEST_F(Conflicts, AnotherReplicasFactIsBuiltOn) {
  const std::string base = Diverge();
  Commit(On(Patch("a", R"({"status":"x"})"), base));
  HeadCache cache(1 << 20);
  Committer other(log_, resolver_, facts_, cache, random_, observer_, {});
  log_.BeforeNextAppend([&] {
    v1::CommitRequest request;
    *request.add_items()->mutable_operation() = On(Patch("a", R"({"status":"y"})"), base);
    v1::CommitResponse response;
    ASSERT_TRUE(other.Commit(request, response, [] {}).ok());
    EXPECT_EQ(response.results(0).outcome(), OUTCOME_CONFLICT);
  });
  EXPECT_EQ(Commit(On(Patch("a", R"({"status":"z"})"), base)).outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(Open().conflicts_size(), 3);
  EXPECT_EQ(observer_.lost_races, 1);
}

TEST_F(Conflicts, BeyondTheLimitTheLaterWriteWins) {
  const std::string base = Diverge();
  std::vector<Operation> asking;
  for (int i = 0; i < kOpenConflictsMax + 1; ++i) {
    asking.push_back(On(Patch("a", absl::StrCat(R"({"status":)", i, "}")), base));
  }
  const auto results = CommitAll(asking);
  EXPECT_EQ(results[kOpenConflictsMax - 1].outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(results[kOpenConflictsMax].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"status":64,"title":"theirs","n":1})");
  EXPECT_EQ(Open().conflicts_size(), kOpenConflictsMax);
  EXPECT_TRUE(resolver_.last_request().items(0).without_asking());
}

TEST_F(Conflicts, AnAtomicBatchCannotWait) {
  const std::string base = Diverge();
  const auto results =
      CommitAll({Create("b", "1"), On(Patch("a", R"({"status":"ours"})"), base)}, As::kAtomic);
  EXPECT_EQ(results[0].error().code(), "depends_on_rejected");
  EXPECT_EQ(results[1].error().code(), "precondition_failed");
  EXPECT_EQ(results[1].error().path(), "base_version");
  EXPECT_THAT(results[1].error().message(), ::testing::HasSubstr("note a"));
  EXPECT_EQ(DataOf("b"), "none");
  EXPECT_EQ(Open().conflicts_size(), 0);
}

TEST_F(Conflicts, WhatTheClientMadeOnTopOfItFollowsToTheBranch) {
  const std::string base = Diverge();
  const std::vector<Operation> batch = {
      On(Patch("a", R"({"status":"ours","new":{}})"), base),
      On(Patch("a", R"([{"op":"add","path":"/new/k","value":1}])"), base), Patch("a", R"({"n":9})"),
      On(Patch("a", R"({"n":3})"), base)};
  const auto results = CommitAll(batch, As::kClientBatch);
  for (const int i : {0, 1, 3}) {
    EXPECT_EQ(results[i].outcome(), OUTCOME_CONFLICT) << i;
    EXPECT_EQ(results[i].conflict_id(), results[0].conflict_id());
  }
  EXPECT_EQ(results[2].outcome(), OUTCOME_APPLIED) << "made on whatever the head is";
  EXPECT_EQ(DataOf("a"), R"({"status":"theirs","title":"theirs","n":9})");
  const auto branch = Branch(results[0].conflict_id());
  ASSERT_EQ(branch.size(), 3u);
  EXPECT_EQ(branch[2].data(), R"({"status":"ours","title":"new","n":3,"new":{"k":1}})");
  EXPECT_EQ(results[3].revision(), 3);
  EXPECT_EQ(Open().conflicts_size(), 1);
  Restart();
  const auto again = CommitAll(batch, As::kClientBatch);
  for (size_t i = 0; i < batch.size(); ++i) {
    EXPECT_EQ(again[i].outcome(), OUTCOME_DUPLICATE) << i;
    EXPECT_EQ(again[i].version_id(), results[i].version_id());
    EXPECT_EQ(again[i].branch(), results[i].branch());
  }
}

TEST_F(Conflicts, ABatchThatStoppedAtAConflictGoesOnOnTheBranch) {
  const std::string base = Diverge();
  const Operation first = On(Patch("a", R"({"status":"ours"})"), base);
  const Operation second = On(Patch("a", R"({"status":"ours too"})"), base);
  const Result kept = CommitAll({first}, As::kClientBatch)[0];
  const auto results = CommitAll({first, second}, As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(results[1].conflict_id(), kept.conflict_id());
  EXPECT_EQ(Branch(kept.conflict_id()).back().data(),
            R"({"status":"ours too","title":"new","n":1})");
}

// On main nothing would be asked any more.
TEST_F(Conflicts, ABatchThatStoppedAtAConflictGoesOnOnTheBranchWhateverTheHeadIs) {
  const std::string base = Diverge();
  const Operation first = On(Patch("a", R"({"status":"ours"})"), base);
  const Operation second = On(Patch("a", R"({"status":"ours too"})"), base);
  const Result kept = CommitAll({first}, As::kClientBatch)[0];
  Commit(Patch("a", R"({"status":"new"})"));
  const int meetings = observer_.meetings;
  const auto results = CommitAll({first, second}, As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  EXPECT_EQ(results[1].conflict_id(), kept.conflict_id());
  EXPECT_EQ(Branch(kept.conflict_id()).back().data(),
            R"({"status":"ours too","title":"new","n":1})");
  EXPECT_EQ(observer_.meetings, meetings) << "who is known meets nobody; nor is the branch main";
  EXPECT_EQ(observer_.lost_races, 0);
}

TEST_F(Conflicts, TheBaseIsKeptTooWhenItWasNeverStored) {
  const std::string base = Diverge();
  const auto results =
      CommitAll({On(Patch("a", R"({"n":2})"), base), On(Patch("a", R"({"status":"ours"})"), base)},
                As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  const auto branch = Branch(results[1].conflict_id());
  ASSERT_EQ(branch.size(), 2u);
  EXPECT_EQ(branch[0].data(), R"({"status":"new","title":"new","n":2})");
  EXPECT_EQ(branch[1].data(), R"({"status":"ours","title":"new","n":2})");
  EXPECT_EQ(results[1].revision(), 2);
  EXPECT_EQ(Open().conflicts(0).base_version_id(), entity::MakeVersionId(1, branch[0].event_id()));
}

TEST_F(Conflicts, TheBranchIsWorkedOnLikeAnyOther) {
  const Result kept = Commit(On(Patch("a", R"({"status":"ours"})"), Diverge()));
  const Result more =
      Commit(OnBranch(On(Patch("a", R"({"n":2})"), kept.version_id()), kept.conflict_id()));
  EXPECT_EQ(more.outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(more.revision(), 2);
  EXPECT_TRUE(more.conflict_id().empty());
  const Result met = Commit(
      OnBranch(On(Patch("a", R"({"status":"again"})"), kept.version_id()), kept.conflict_id()));
  EXPECT_EQ(met.outcome(), OUTCOME_MERGED);
  const auto branch = Branch(kept.conflict_id());
  EXPECT_EQ(branch.back().data(), R"({"status":"again","title":"new","n":2})");
  EXPECT_EQ(Meta(branch.back()).conflict_id(), kept.conflict_id());
  EXPECT_EQ(Meta(branch.back()).outcome(), OUTCOME_MERGED);
  EXPECT_TRUE(resolver_.last_request().items(0).without_asking()) << "a branch asks nobody";
}

TEST_F(Conflicts, ABranchOfNoConflictIsNotMade) {
  Commit(Create("a", "1"));
  const std::string id = "0123456789abcdef0123456789abcdef";
  for (const Operation& operation :
       {Create("a", "2"), Update("a", "2"), Patch("a", "{}"), Delete("a")}) {
    const Result result = Commit(OnBranch(operation, id));
    EXPECT_EQ(result.error().code(), "not_found");
    EXPECT_EQ(result.error().path(), "branch");
  }
}

TEST_F(Conflicts, OpIdsOfTheServicesOwnAreNotForClients) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  for (const std::string& op_id : {"close-" + id, "closed-" + id, "undo-" + id}) {
    Operation operation = Create("a", "1");
    operation.set_op_id(op_id);
    EXPECT_EQ(Commit(operation).error().path(), "op_id");
    EXPECT_EQ(CommitAll({operation}, As::kAtomic)[0].error().path(), "op_id");
    const auto whole = CommitAll({Create("b", "1"), operation}, As::kAtomic);
    EXPECT_EQ(whole[0].error().code(), "depends_on_rejected");
    EXPECT_EQ(whole[1].error().path(), "op_id");
    const auto batch = CommitAll({operation, Update("a", "2"), Update("b", "2")}, As::kClientBatch);
    EXPECT_EQ(batch[0].error().path(), "op_id");
    EXPECT_EQ(batch[1].error().code(), "depends_on_rejected");
    EXPECT_EQ(batch[2].outcome(), OUTCOME_APPLIED);
  }
  Operation operation = Create("a", "1");
  operation.set_op_id("close-enough");
  EXPECT_EQ(Commit(operation).outcome(), OUTCOME_APPLIED);
}

TEST_F(Conflicts, TimesAndTheProgramsVersionAreToldToConflict) {
  const std::string base = Diverge();
  v1::CommitRequest request;
  v1::CommitItem& item = *request.add_items();
  *item.mutable_operation() = On(Patch("a", R"({"status":"ours"})"), base);
  item.mutable_actor()->set_app_version("7.1");
  v1::CommitResponse response;
  ASSERT_TRUE(committer_->Commit(request, response, [] {}).ok());
  const auto asked = resolver_.last_request().items(0);
  EXPECT_EQ(asked.ours().app_version(), "7.1");
  EXPECT_EQ(asked.ours().time_ms(), 0);
  EXPECT_GT(asked.base().time_ms(), 0);
  EXPECT_GT(asked.theirs().time_ms(), asked.base().time_ms());
}

}  // namespace
}  // namespace bdcsync::version::testing
