// The rules of writing (docs/protocol.md), one by one, on a log that answers at once.
#include "services/version/committer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/entity/version_id.h"
#include "libs/testing/status_matchers.h"
#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;
using common::v1::OUTCOME_REJECTED;
using ::testing::ElementsAre;

class Writing : public CommitterFixture {};

TEST_F(Writing, ACreateAnswersItsVersionAndPlace) {
  const Result result = Commit(Create("a", R"({"x":1})"));
  EXPECT_EQ(result.outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(result.revision(), 1);
  EXPECT_EQ(entity::ParseVersionId(result.version_id())->revision, 1);
  EXPECT_EQ(result.position().seq(), 1);
  EXPECT_NE(result.position().epoch(), 0u);
  EXPECT_NE(result.time_ms(), 0);
  EXPECT_TRUE(result.data().empty()) << "the result is what was sent";
  EXPECT_EQ(DataOf("a"), R"({"x":1})");
}

TEST_F(Writing, RevisionsGoOnThroughDeletion) {
  EXPECT_EQ(Commit(Create("a", "1")).revision(), 1);
  EXPECT_EQ(Commit(Delete("a")).revision(), 2);
  EXPECT_EQ(DataOf("a"), "deleted");
  EXPECT_EQ(Commit(Create("a", "2")).revision(), 3);
  EXPECT_FALSE(MetaOf("a").existed_before());
  EXPECT_EQ(DataOf("a"), "2");
}

TEST_F(Writing, RefusalsNameTheirReason) {
  EXPECT_EQ(Commit(Patch("a", "{}")).error().code(), "not_found");
  EXPECT_EQ(Commit(Delete("a")).error().code(), "not_found");
  Commit(Create("a", "1"));
  const Result result = Commit(Create("a", "2"));
  EXPECT_EQ(result.outcome(), OUTCOME_REJECTED);
  EXPECT_EQ(result.error().code(), "already_exists");
  EXPECT_EQ(DataOf("a"), "1");
}

TEST_F(Writing, AMalformedKeyIsRefusedAlone) {
  Operation bad = Create("a", "1");
  bad.mutable_entity()->set_entity_type("no colon:");
  const auto results = CommitAll({bad, Create("b", "1")}, As::kClientBatch);
  EXPECT_EQ(results[0].error().code(), "invalid_argument");
  EXPECT_EQ(results[0].error().path(), "entity_type");
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
}

TEST_F(Writing, BranchesAreApartAndMainIsTheDefault) {
  Operation on_main = Create("a", "1");
  on_main.mutable_entity()->set_branch("main");
  Operation on_draft = Create("a", "2");
  on_draft.mutable_entity()->set_branch("draft");
  EXPECT_EQ(Commit(on_main).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(Commit(on_draft).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(Commit(Create("a", "3")).error().code(), "already_exists");
  EXPECT_EQ(DataOf("a"), "1");
}

TEST_F(Writing, WithoutABaseTheLastWriteWins) {
  Commit(Create("a", "1"));
  EXPECT_EQ(Commit(Update("a", "2")).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(Commit(Update("a", "3")).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), "3");
  EXPECT_EQ(resolver_.calls(), 0);
}

TEST_F(Writing, OnTheHeadNothingIsResolved) {
  const Result first = Commit(Create("a", R"({"x":1})"));
  const Result second = Commit(On(Patch("a", R"({"x":2})"), first.version_id()));
  EXPECT_EQ(second.outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(resolver_.calls(), 0);
  EXPECT_THAT(MetaOf("a").parents(), ElementsAre(first.version_id()));
}

TEST_F(Writing, OnAnOlderBaseBothChangesAreKept) {
  const Result base = Commit(Create("a", R"({"x":1,"y":1})"));
  const Result theirs = Commit(Patch("a", R"({"x":2})"));
  const Result ours = Commit(On(Patch("a", R"({"y":2})"), base.version_id()));
  EXPECT_EQ(ours.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":2})");
  EXPECT_EQ(ours.data(), DataOf("a"));
  EXPECT_EQ(ours.revision(), 3);
  EXPECT_THAT(MetaOf("a").parents(), ElementsAre(theirs.version_id(), base.version_id()));
  EXPECT_THAT(MetaOf("a").changed_paths(), ElementsAre("/y"));
}

TEST_F(Writing, OfOverlappingChangesTheLaterWins) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Patch("a", R"({"x":2})"));
  EXPECT_EQ(Commit(On(Update("a", R"({"x":3})"), base.version_id())).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":3})");
}

TEST_F(Writing, TheResolverLearnsBothSidesAndTheirMakers) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  const Result theirs = Commit(Patch("a", R"({"x":2})"));
  const Operation operation = On(Patch("a", R"({"x":3})"), base.version_id());
  Commit(operation);
  const conflict::v1::ResolveItem item = resolver_.last_request().items(0);
  EXPECT_EQ(item.op_id(), operation.op_id());
  EXPECT_EQ(item.base().version_id(), base.version_id());
  EXPECT_EQ(item.base().data(), R"({"x":1})");
  EXPECT_EQ(item.theirs().version_id(), theirs.version_id());
  EXPECT_EQ(item.theirs().data(), R"({"x":2})");
  EXPECT_EQ(item.ours().version_id(), "");
  EXPECT_EQ(item.ours().data(), R"({"x":3})");
  EXPECT_EQ(item.ours().device_id(), "phone");
}

TEST_F(Writing, AnEditWinsOverALaterDelete) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Patch("a", R"({"x":2})"));
  const Result result = Commit(On(Delete("a"), base.version_id()));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(result.data(), R"({"x":2})");
  EXPECT_EQ(DataOf("a"), R"({"x":2})");
}

TEST_F(Writing, AnEditWinsOverAnEarlierDelete) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Delete("a"));
  const Result result = Commit(On(Patch("a", R"({"x":2})"), base.version_id()));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":2})");
}

TEST_F(Writing, TwoDeletesLeaveItDeleted) {
  const Result base = Commit(Create("a", "1"));
  Commit(Delete("a"));
  const Operation again = On(Delete("a"), base.version_id());
  const Result second = Commit(again);
  EXPECT_EQ(second.outcome(), OUTCOME_MERGED);
  EXPECT_TRUE(second.deleted());
  EXPECT_EQ(DataOf("a"), "deleted");
  const Result repeated = Commit(again);
  EXPECT_EQ(repeated.outcome(), OUTCOME_DUPLICATE);
  EXPECT_TRUE(repeated.deleted());
}

TEST_F(Writing, ADeletionThatIsMergedNamesTheCategoryThatItsMakerSaw) {
  Operation create = Create("a", "1");
  create.set_category("seen");
  const Result base = Commit(create);
  Operation moved = Delete("a");
  moved.set_category("elsewhere");
  Commit(moved);
  Commit(On(Delete("a"), base.version_id()));
  EXPECT_FALSE(MetaOf("a").existed_before());
  EXPECT_EQ(MetaOf("a").previous_category(), "seen");
}

TEST_F(Writing, ABaseThatIsNoVersionOfTheEntityIsRefused) {
  const Result a = Commit(Create("a", "1"));
  const Result b = Commit(Create("b", "1"));
  Commit(Update("a", "2"));
  for (const std::string& base :
       {b.version_id(), std::string("1-0000000000000000"), std::string("3-0000000000000000"),
        std::string("head"), std::string("2-0000000000000000")}) {
    const Result result = Commit(On(Update("a", "3"), base));
    EXPECT_EQ(result.error().code(), "base_not_found") << base;
    EXPECT_EQ(result.error().path(), "base_version");
  }
  EXPECT_EQ(Commit(On(Update("a", "3"), a.version_id())).outcome(), OUTCOME_MERGED);
}

TEST_F(Writing, ACreateDoesNotLookAtABase) {
  EXPECT_EQ(Commit(On(Create("a", "1"), "5-0000000000000000")).outcome(), OUTCOME_APPLIED);
}

TEST_F(Writing, WhatCannotBeResolvedNowIsSentBackWhole) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Patch("a", R"({"x":2})"));
  resolver_.FailWith(absl::UnavailableError("down"));
  const Result result = Commit(On(Patch("a", R"({"x":3})"), base.version_id()));
  EXPECT_EQ(result.error().code(), "unavailable");
  EXPECT_TRUE(result.error().retryable());
  EXPECT_EQ(VersionsOf("a"), 2u);
}

TEST_F(Writing, MalformedDataThatMustBeMergedIsRefused) {
  const Result base = Commit(Create("a", R"({"x":1})"));
  Commit(Patch("a", R"({"x":2})"));
  EXPECT_EQ(Commit(On(Update("a", "{"), base.version_id())).error().code(), "invalid_argument");
  EXPECT_EQ(VersionsOf("a"), 2u);
}

TEST_F(Writing, WhatIsTooLargeOnceMergedIsRefused) {
  CommitLimits limits;
  limits.data.data_bytes_max = 100;
  Restart(limits);
  const Result base = Commit(Create("a", "{}"));
  const std::string half(50, 'x');
  Commit(Patch("a", R"({"theirs":")" + half + R"("})"));
  const Operation ours = On(Patch("a", R"({"ours":")" + half + R"("})"), base.version_id());
  EXPECT_EQ(Commit(ours).error().code(), "too_large");
  const auto batch = CommitAll({ours, Patch("a", R"({"z":1})")}, As::kClientBatch);
  EXPECT_EQ(batch[0].error().code(), "too_large");
  EXPECT_EQ(batch[1].error().code(), "depends_on_rejected");
  EXPECT_EQ(VersionsOf("a"), 2u);
}

TEST_F(Writing, CategoriesFollowTheEntity) {
  Operation create = Create("a", "1");
  create.set_category("media");
  Commit(create);
  Commit(Update("a", "2"));
  EXPECT_EQ(MetaOf("a").category(), "media");
  Operation move = Update("a", "3");
  move.set_category("documents");
  Commit(move);
  EXPECT_EQ(MetaOf("a").category(), "documents");
  EXPECT_EQ(MetaOf("a").previous_category(), "media");
}

TEST_F(Writing, AnEmptyCallIsAnsweredAndAnOversizedOneRefused) {
  EXPECT_TRUE(CommitAll({}).empty());
  v1::CommitRequest request;
  for (size_t i = 0; i <= kCommitItemsMax; ++i) request.add_items();
  v1::CommitResponse response;
  EXPECT_THAT(committer_->Commit(request, response, [] { FAIL(); }),
              bdcsync::testing::HasReason(Reason::kInvalidArgument));
}

TEST_F(Writing, AHeadThatIsKnownIsNotReadAgain) {
  Commit(Create("a", "1"));
  const int reads = log_.head_reads();
  Commit(Update("a", "2"));
  Commit(Patch("a", "{}"));
  EXPECT_EQ(log_.head_reads(), reads);
  EXPECT_EQ(cache_->stats().hits, 2u);
}

TEST_F(Writing, ACacheOfNoSizeOnlyCostsReads) {
  Restart({}, /*cache_bytes=*/0);
  Commit(Create("a", R"({"x":1})"));
  EXPECT_EQ(Commit(Patch("a", R"({"y":2})")).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"x":1,"y":2})");
}

TEST_F(Writing, WhenDrainingNewOperationsAreSentBack) {
  committer_->Drain(absl::InfiniteFuture());
  EXPECT_EQ(Commit(Create("a", "1")).error().code(), "unavailable");
  EXPECT_EQ(log_.event_count(), 0u);
}

}  // namespace
}  // namespace bdcsync::version::testing
