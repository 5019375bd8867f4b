// Conflicts and their ends: each exactly one, whoever asks, however often, and whatever is lost.
#include "services/version/conflict_closer.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/errors.h"
#include "services/version/conflict_lookup.h"
#include "services/version/reader.h"
#include "services/version/testing/conflict_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_CONFLICT;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;
using conflict::v1::CONFLICT_STATE_CANCELLED;
using conflict::v1::CONFLICT_STATE_EXPIRED;
using conflict::v1::CONFLICT_STATE_OPEN;
using conflict::v1::CONFLICT_STATE_OPENING;
using conflict::v1::CONFLICT_STATE_RESOLVED;
using conflict::v1::CONFLICT_STATE_SUPERSEDED;
using ::testing::ElementsAre;

class Closings : public ConflictFixture {};

TEST_F(Closings, ADecisionMakesOneMergeOneFactAndEndsTheBranch) {
  const std::string id = OpenOne();
  const std::string ours = Open().conflicts(0).ours_version_id();
  const v1::CloseResult result = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(result.has_error()) << result.error().message();
  EXPECT_EQ(DataOf("a"), R"({"status":"ours","title":"theirs","n":1,"m":1})");
  EXPECT_EQ(result.revision(), 3);
  EXPECT_GT(result.position().seq(), 0);
  const v1::VersionMeta merge = MetaOf("a");
  EXPECT_EQ(merge.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(merge.op_id(), "close-" + id);
  EXPECT_EQ(merge.conflict_id(), id);
  EXPECT_EQ(merge.user_id(), "boss");
  EXPECT_THAT(merge.parents(), ElementsAre(head_, ours));
  ASSERT_EQ(Facts().size(), 2u);
  EXPECT_TRUE(Facts()[1].tombstone()) << "none is open";
  v1::ConflictFact fact;
  fact.ParseFromString(Facts()[1].meta());
  EXPECT_EQ(fact.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(fact.conflict().closing_version_id(), result.version_id());
  EXPECT_EQ(fact.conflict().closed_by(), "boss");
  EXPECT_TRUE(Branch(id).back().tombstone());
  EXPECT_THAT(Meta(Branch(id).back()).parents(), ElementsAre(ours));
}

TEST_F(Closings, ConflictIsToldOfTheEndWithItsDecisions) {
  const std::string id = OpenOne();
  const v1::CloseResult result = Close(Decide(id, {Choose("ours")}));
  const conflict::v1::Fact fact = desk_.facts().back();
  EXPECT_EQ(fact.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(fact.conflict().closing_version_id(), result.version_id());
  EXPECT_GT(fact.conflict().closed_ms(), 0);
  EXPECT_EQ(fact.closing_op_id(), "close-" + id);
  ASSERT_EQ(fact.decisions_size(), 1);
  EXPECT_EQ(fact.decisions(0).chosen(), "ours");
  EXPECT_EQ(fact.conflict().places(0).decision().theirs(), R"("theirs")") << "as it was recorded";
  EXPECT_EQ(result.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(observer_.closed, 1);
}

TEST_F(Closings, WritesMeanwhileAreRebasedInto) {
  const std::string id = OpenOne();
  Commit(Patch("a", R"({"n":5})"));
  Commit(OnBranch(Patch("a", R"({"branch":1})"), id));
  Close(Decide(id, {Choose("value", {"/status"}, R"("agreed")")}));
  EXPECT_EQ(DataOf("a"), R"({"status":"agreed","title":"theirs","n":5,"m":1,"branch":1})");
}

TEST_F(Closings, PlacesThatStayOpenKeepItOpenAndTheChoicesAreKept) {
  const std::string base = Diverge();
  const std::string id =
      Commit(On(Patch("a", R"({"status":"ours","title":"ours"})"), base)).conflict_id();
  const v1::CloseResult part = Close(Decide(id, {Choose("ours", {"/status"})}));
  EXPECT_FALSE(part.has_error());
  EXPECT_EQ(part.conflict().state(), CONFLICT_STATE_OPEN);
  ASSERT_EQ(part.open_size(), 1);
  EXPECT_EQ(part.open(0).decision().path(), "/title");
  EXPECT_TRUE(part.version_id().empty());
  EXPECT_EQ(Open().conflicts_size(), 1);
  Close(Decide(id, {Choose("theirs", {"/title"})}));
  EXPECT_EQ(DataOf("a"), R"({"status":"ours","title":"theirs","n":1})");
}

TEST_F(Closings, TheDeadlineTakesFallbacksOnlyWhereNobodyChose) {
  const std::string base = Diverge();
  const std::string id =
      Commit(On(Patch("a", R"({"status":"ours","title":"ours"})"), base)).conflict_id();
  Close(Decide(id, {Choose("base", {"/status"})}));
  v1::CloseItem deadline = CloseWith(id, v1::CLOSE_CAUSE_DEADLINE);
  deadline.clear_actor();
  const v1::CloseResult result = Close(deadline);
  EXPECT_EQ(result.conflict().state(), CONFLICT_STATE_EXPIRED);
  EXPECT_EQ(result.conflict().closed_by(), "");
  EXPECT_EQ(DataOf("a"), R"({"status":"new","title":"ours","n":1})");
}

TEST_F(Closings, ACancelledOneLeavesTheHeadAsItIs) {
  const std::string id = OpenOne();
  const v1::CloseResult result = Close(CloseWith(id, v1::CLOSE_CAUSE_CANCELLED));
  EXPECT_EQ(result.conflict().state(), CONFLICT_STATE_CANCELLED);
  EXPECT_TRUE(result.version_id().empty());
  EXPECT_EQ(VersionsOf("a"), 2u);
  EXPECT_TRUE(Branch(id).back().tombstone());
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_CANCELLED);
}

TEST_F(Closings, ARepeatedRequestGetsItsFirstOutcome) {
  const std::string id = OpenOne();
  const v1::CloseResult first = Close(Decide(id, {Choose("ours")}));
  for (int process = 0; process < 2; ++process) {
    const v1::CloseResult again = Close(Decide(id, {Choose("ours")}));
    EXPECT_FALSE(again.has_error()) << again.error().message();
    EXPECT_EQ(again.version_id(), first.version_id());
    EXPECT_EQ(again.revision(), first.revision());
    EXPECT_EQ(again.position().seq(), first.position().seq());
    EXPECT_EQ(again.conflict().state(), CONFLICT_STATE_RESOLVED);
    Restart();
  }
  EXPECT_EQ(VersionsOf("a"), 3u);
  EXPECT_EQ(observer_.closed, 1);
}

TEST_F(Closings, AnotherDecisionIsToldHowItWasClosed) {
  const std::string id = OpenOne();
  const v1::CloseResult first = Close(Decide(id, {Choose("ours")}));
  for (const v1::CloseItem& item :
       {Decide(id, {Choose("theirs")}), CloseWith(id, v1::CLOSE_CAUSE_DEADLINE),
        CloseWith(id, v1::CLOSE_CAUSE_CANCELLED)}) {
    const v1::CloseResult late = Close(item);
    EXPECT_EQ(late.error().code(), "precondition_failed");
    EXPECT_EQ(late.conflict().state(), CONFLICT_STATE_RESOLVED);
    EXPECT_EQ(late.conflict().closing_version_id(), first.version_id());
    EXPECT_TRUE(late.version_id().empty());
  }
  EXPECT_EQ(VersionsOf("a"), 3u);
}

TEST_F(Closings, OfTwoReplicasWithTwoDecisionsOneWins) {
  const std::string id = OpenOne();
  HeadCache cache(1 << 20);
  Committer other(log_, resolver_, facts_, cache, random_, observer_, {});
  v1::CloseResult theirs;
  log_.BeforeNextAppend([&] { theirs = CloseAt(other, Decide(id, {Choose("theirs")})); });
  const v1::CloseResult ours = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(theirs.has_error());
  EXPECT_EQ(ours.error().code(), "precondition_failed");
  EXPECT_EQ(ours.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(ours.conflict().closing_version_id(), theirs.version_id());
  EXPECT_EQ(VersionsOf("a"), 3u);
  EXPECT_EQ(Facts().size(), 2u);
  EXPECT_EQ(observer_.closed, 1);
}

TEST_F(Closings, OneThatIsClosedWhileItIsMergedIsToldAsClosed) {
  const std::string id = OpenOne();
  HeadCache cache(1 << 20);
  Committer other(log_, resolver_, facts_, cache, random_, observer_, {});
  v1::CloseResult theirs;
  desk_.BeforeNextDecide([&] { theirs = CloseAt(other, Decide(id, {Choose("theirs")})); });
  const v1::CloseResult ours = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(theirs.has_error());
  EXPECT_EQ(ours.error().code(), "precondition_failed");
  EXPECT_EQ(ours.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(ours.conflict().closing_version_id(), theirs.version_id());
}

TEST_F(Closings, OfACancellationAndADecisionOneWins) {
  for (const bool cancel_first : {true, false}) {
    const std::string entity = cancel_first ? "a" : "b";
    const std::string id = OpenOne(entity);
    HeadCache cache(1 << 20);
    Committer other(log_, resolver_, facts_, cache, random_, observer_, {});
    const v1::CloseItem cancel = CloseWith(id, v1::CLOSE_CAUSE_CANCELLED);
    const v1::CloseItem decide = Decide(id, {Choose("ours")});
    v1::CloseResult first;
    log_.BeforeNextAppend([&] { first = CloseAt(other, cancel_first ? cancel : decide); });
    const v1::CloseResult second = Close(cancel_first ? decide : cancel);
    EXPECT_FALSE(first.has_error());
    EXPECT_EQ(second.error().code(), "precondition_failed");
    EXPECT_EQ(second.conflict().state(), first.conflict().state());
    EXPECT_EQ(VersionsOf(entity), cancel_first ? 2u : 3u);
  }
}

TEST_F(Closings, ALostAnswerIsFoundInTheLog) {
  const std::string id = OpenOne();
  log_.BeforeNextAppend([&] { log_.FailWith(absl::UnavailableError("lost"), true); });
  const v1::CloseResult lost = Close(Decide(id, {Choose("ours")}));
  EXPECT_EQ(lost.error().code(), "unavailable");
  log_.FailWith(absl::OkStatus());
  const v1::CloseResult found = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(found.has_error());
  EXPECT_EQ(found.revision(), 3);
  EXPECT_EQ(VersionsOf("a"), 3u);
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_RESOLVED) << "it is told again";
}

TEST_F(Closings, ACrashBeforeConflictIsToldIsRepairedByACheck) {
  const std::string id = OpenOne();
  desk_.RefuseFacts(absl::UnavailableError("crashed"));
  const v1::CloseResult closed = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(closed.has_error()) << "the log holds it";
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_OPEN);
  desk_.RefuseFacts(absl::OkStatus());
  const v1::CloseResult check = Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK));
  EXPECT_FALSE(check.has_error());
  EXPECT_EQ(check.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(check.conflict().closing_version_id(), closed.version_id());
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_RESOLVED);
  const conflict::v1::Fact fact = desk_.facts().back();
  EXPECT_EQ(fact.closing_op_id(), "close-" + id);
  ASSERT_EQ(fact.decisions_size(), 1) << "the decision is told too";
  EXPECT_EQ(fact.decisions(0).chosen(), "ours");
  EXPECT_EQ(fact.decisions(0).result(), R"("ours")");
  EXPECT_EQ(fact.decisions(0).theirs(), R"("theirs")");
}

TEST_F(Closings, ACheckConfirmsWhatIsOpen) {
  const std::string base = Diverge();
  desk_.RefuseFacts(absl::UnavailableError("crashed"));
  const std::string id = Commit(On(Patch("a", R"({"status":"ours"})"), base)).conflict_id();
  desk_.RefuseFacts(absl::OkStatus());
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_OPENING);
  const v1::CloseResult check = Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK));
  EXPECT_FALSE(check.has_error());
  EXPECT_EQ(check.conflict().state(), CONFLICT_STATE_OPEN);
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_OPEN);
  EXPECT_FALSE(desk_.Record(id).ours_version_id().empty());
}

TEST_F(Closings, ACheckForgetsWhatTheLogNeverGot) {
  const std::string base = Diverge();
  const Operation ours = On(Patch("a", R"({"status":"ours"})"), base);
  log_.BeforeNextAppend([&] { log_.FailWith(absl::UnavailableError("lost")); });
  EXPECT_EQ(Commit(ours).error().code(), "unavailable");
  log_.FailWith(absl::OkStatus());
  ASSERT_EQ(resolver_.asked().size(), 1u);
  const std::string id = resolver_.asked().begin()->first;
  EXPECT_EQ(Close(Decide(id, {Choose("ours")})).error().code(), "unavailable");
  const v1::CloseResult check = Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK));
  EXPECT_FALSE(check.has_error());
  ASSERT_FALSE(desk_.facts().empty());
  EXPECT_EQ(desk_.facts().back().conflict().state(), CONFLICT_STATE_OPENING);
  EXPECT_EQ(Commit(ours).outcome(), OUTCOME_CONFLICT) << "it may still be opened";
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_OPEN);
}

TEST_F(Closings, ACheckClosesWhatLaterWritesLeftNothingOf) {
  const std::string id = OpenOne();
  Commit(Patch("a", R"({"status":"ours"})"));
  EXPECT_EQ(Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK)).conflict().state(), CONFLICT_STATE_OPEN)
      << "the head does not hold all of it";
  Commit(Patch("a", R"({"m":1})"));
  const v1::CloseResult check = Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK));
  EXPECT_EQ(check.conflict().state(), CONFLICT_STATE_SUPERSEDED);
  EXPECT_TRUE(check.version_id().empty());
  EXPECT_EQ(VersionsOf("a"), 4u);
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_SUPERSEDED);
}

TEST_F(Closings, ADecisionToDeleteDeletesAndIsNoEndOfMain) {
  resolver_.UseRules(R"({"rules":[{"path":"$","rule":"ask"}]})");
  const std::string id = OpenOne();
  Commit(OnBranch(Delete("a"), id));
  const v1::CloseResult result = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(result.has_error()) << result.error().message();
  EXPECT_EQ(DataOf("a"), "deleted");
  EXPECT_EQ(Commit(Create("a", "1")).outcome(), OUTCOME_APPLIED) << "main lives on";
}

TEST_F(Closings, ADecisionToDeleteWhatIsDeletedWritesNoVersion) {
  resolver_.UseRules(R"({"rules":[{"path":"$","rule":"ask"}]})");
  const std::string id = OpenOne();
  Commit(OnBranch(Delete("a"), id));
  Commit(Delete("a"));
  const size_t versions = VersionsOf("a");
  const v1::CloseResult result = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(result.has_error()) << result.error().message();
  EXPECT_EQ(result.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_TRUE(result.version_id().empty());
  EXPECT_EQ(VersionsOf("a"), versions);
}

TEST_F(Closings, AClosedOneIsNoneThatWaits) {
  const std::string id = OpenOne();
  Reader reader(log_);
  const auto waits = [&reader] {
    v1::GetEntitiesRequest request;
    common::v1::EntityKey& entity = *request.add_queries()->mutable_entity();
    entity.set_space("s");
    entity.set_entity_type("note");
    entity.set_entity_id("a");
    std::optional<bool> has_conflict;
    reader.GetEntities(request, [&](absl::StatusOr<v1::GetEntitiesResponse> got) {
      if (got.ok()) has_conflict = got->entities(0).has_conflict();
    });
    return has_conflict;
  };
  EXPECT_EQ(waits(), true);
  Close(CloseWith(id, v1::CLOSE_CAUSE_CANCELLED));
  EXPECT_EQ(waits(), false);
}

TEST_F(Closings, TheBranchTakesNothingAfterItsEnd) {
  const std::string id = OpenOne();
  Close(CloseWith(id, v1::CLOSE_CAUSE_CANCELLED));
  for (int process = 0; process < 2; ++process) {
    for (const Operation& operation :
         {Update("a", "1"), Patch("a", "{}"), Create("a", "1"), Delete("a")}) {
      const Result refused = Commit(OnBranch(operation, id));
      EXPECT_EQ(refused.error().code(), "precondition_failed");
      EXPECT_EQ(refused.error().path(), "branch");
    }
    Restart();
  }
}

TEST_F(Closings, AWriteToTheBranchIsNeverLeftBehind) {
  const std::string id = OpenOne();
  HeadCache cache(1 << 20);
  Committer other(log_, resolver_, facts_, cache, random_, observer_, {});
  log_.BeforeNextAppend([&] {
    v1::CommitRequest request;
    *request.add_items()->mutable_operation() = OnBranch(Patch("a", R"({"late":1})"), id);
    v1::CommitResponse response;
    ASSERT_TRUE(other.Commit(request, response, [] {}).ok());
    EXPECT_EQ(response.results(0).outcome(), OUTCOME_APPLIED);
  });
  EXPECT_FALSE(Close(Decide(id, {Choose("ours")})).has_error());
  EXPECT_THAT(DataOf("a"), ::testing::HasSubstr(R"("late":1)"));
}

TEST_F(Closings, AHotEntityDoesNotStarveIt) {
  const std::string id = OpenOne();
  int writes = 0;
  std::function<void()> write_first = [&] {
    WriteElsewhere("a", absl::StrCat(R"({"status":"theirs","title":"theirs","n":)", ++writes, "}"));
    if (writes < 5) log_.BeforeNextAppend(write_first);
  };
  log_.BeforeNextAppend(write_first);
  const v1::CloseResult result = Close(Decide(id, {Choose("ours")}));
  EXPECT_FALSE(result.has_error()) << result.error().message();
  EXPECT_EQ(DataOf("a"), R"({"status":"ours","title":"theirs","n":5,"m":1})");
  EXPECT_TRUE(resolver_.last_request().items(0).without_asking()) << "nobody is asked twice";
  EXPECT_EQ(resolver_.last_request().items(0).op_id(), "close-" + id);
}

TEST_F(Closings, ManyOfOneEntityAreClosedInOneCall) {
  const std::string base = Diverge();
  std::vector<v1::CloseItem> items;
  for (int i = 0; i < 20; ++i) {
    const Operation ours = On(Patch("a", absl::StrCat(R"({"status":)", i, "}")), base);
    items.push_back(Decide(Commit(ours).conflict_id(), {Choose("ours")}));
  }
  items.push_back(Decide("none", {Choose("ours")}));
  items.push_back(Decide(OpenOne("b"), {Choose("theirs")}));
  const auto answer = TryClose(items, *committer_);
  ASSERT_TRUE(answer.ok());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answer->results(i).revision(), 3 + i);
  EXPECT_EQ(answer->results(20).error().code(), "not_found");
  EXPECT_FALSE(answer->results(21).has_error());
  EXPECT_EQ(DataOf("a"), R"({"status":19,"title":"theirs","n":1})");
  EXPECT_EQ(Open().conflicts_size(), 0);
}

TEST_F(Closings, TheNumberOfItemsIsHeldToTheLimit) {
  std::vector<v1::CloseItem> items(kConflictItemsPerCallMax, CloseWith("x", v1::CLOSE_CAUSE_CHECK));
  EXPECT_TRUE(TryClose(items, *committer_).ok());
  items.push_back(items.front());
  EXPECT_EQ(ReasonOf(TryClose(items, *committer_).status()), Reason::kInvalidArgument);
}

TEST_F(Closings, WithoutACauseOrWithConflictAwayNothingIsDone) {
  const std::string id = OpenOne();
  EXPECT_EQ(Close(CloseWith(id, v1::CLOSE_CAUSE_UNSPECIFIED)).error().path(), "cause");
  desk_.FailWith(absl::UnavailableError("away"));
  EXPECT_EQ(ReasonOf(TryClose({Decide(id, {Choose("ours")})}, *committer_).status()),
            Reason::kUnavailable);
  EXPECT_EQ(Open().conflicts_size(), 1);
}

TEST_F(Closings, AMergeThatIsTooLargeStaysOpen) {
  CommitLimits limits;
  limits.data.data_bytes_max = 100;
  const std::string id = OpenOne();
  Restart(limits);
  const v1::CloseResult result =
      Close(Decide(id, {Choose("value", {"/status"}, "\"" + std::string(100, 'x') + "\"")}));
  EXPECT_EQ(result.error().code(), "too_large");
  EXPECT_EQ(Open().conflicts_size(), 1);
  EXPECT_FALSE(Close(Decide(id, {Choose("ours")})).has_error());
}

TEST_F(Closings, WhatTheOperationWindowForgotIsFoundAmongTheFacts) {
  const std::string id = OpenOne();
  desk_.RefuseFacts(absl::UnavailableError("crashed"));
  Close(Decide(id, {Choose("ours")}));
  desk_.RefuseFacts(absl::OkStatus());
  log_.ForgetOperations();
  const v1::CloseResult check = Close(CloseWith(id, v1::CLOSE_CAUSE_CHECK));
  EXPECT_FALSE(check.has_error()) << check.error().message();
  EXPECT_EQ(check.conflict().state(), CONFLICT_STATE_RESOLVED);
  EXPECT_EQ(desk_.Record(id).state(), CONFLICT_STATE_RESOLVED);
}

TEST_F(Closings, WhatWasMadeOnAnUnstoredBaseIsMergedOnIt) {
  const std::string base = Diverge();
  const auto results =
      CommitAll({On(Patch("a", R"({"n":2})"), base), On(Patch("a", R"({"status":"ours"})"), base)},
                As::kClientBatch);
  ASSERT_EQ(results[1].outcome(), OUTCOME_CONFLICT);
  Close(Decide(results[1].conflict_id(), {Choose("ours")}));
  EXPECT_EQ(DataOf("a"), R"({"status":"ours","title":"theirs","n":2})")
      << "others' changes are not taken back";
}

TEST_F(Closings, TheOperationThatAskedStillGetsItsFirstAnswer) {
  const std::string base = Diverge();
  const Operation ours = On(Patch("a", R"({"status":"ours"})"), base);
  const Result first = Commit(ours);
  Close(Decide(first.conflict_id(), {Choose("ours")}));
  const Result again = Commit(ours);
  EXPECT_EQ(again.outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(again.conflict_id(), first.conflict_id());
  EXPECT_EQ(Open().conflicts_size(), 0) << "it is not opened again";
}

}  // namespace
}  // namespace bdcsync::version::testing
