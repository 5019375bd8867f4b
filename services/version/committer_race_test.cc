// Other writers, lost answers and bounds: what a batch does when the log says no, or nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;

class Races : public CommitterFixture {};

TEST_F(Races, AChangeIsMadeAgainOnTheHeadThatAnotherReplicaWrote) {
  Commit(Create("a", R"({"x":1})"));
  WriteElsewhere("a", R"({"x":1,"theirs":1})");
  EXPECT_EQ(Commit(Patch("a", R"({"ours":1})")).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"x":1,"theirs":1,"ours":1})");
  EXPECT_EQ(observer_.lost_races, 1);
}

TEST_F(Races, AChangeOnAKnownBaseIsMergedWithWhatAnotherReplicaWrote) {
  const std::string base = Commit(Create("a", R"({"x":1})")).version_id();
  WriteElsewhere("a", R"({"x":1,"theirs":1})");
  EXPECT_EQ(Commit(On(Patch("a", R"({"ours":1})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"x":1,"theirs":1,"ours":1})");
}

TEST_F(Races, AChainNeverBuildsOnAnotherWritersEventOfTheSameNumber) {
  Commit(Create("a", R"({"n":0})"));
  WriteElsewhere("a", R"({"n":0,"theirs":1})");  // Revision 2, which the first below expects to be.
  const auto results = CommitTogether({Patch("a", R"({"p":1})"), Patch("a", R"({"q":1})")});
  EXPECT_EQ(results[0].revision(), 3);
  EXPECT_EQ(results[1].revision(), 4);
  EXPECT_EQ(DataOf("a"), R"({"n":0,"theirs":1,"p":1,"q":1})");
}

TEST_F(Races, ARefusalOnARememberedHeadIsCheckedWithTheLog) {
  Commit(Create("a", R"({"x":1})"));
  Commit(Delete("a"));
  WriteElsewhere("a", R"({"x":2})");
  EXPECT_EQ(Commit(Patch("a", R"({"y":1})")).outcome(), OUTCOME_APPLIED) << "it lives again";
  EXPECT_EQ(DataOf("a"), R"({"x":2,"y":1})");
}

TEST_F(Races, ABaseNewerThanTheRememberedHeadIsCheckedWithTheLog) {
  Commit(Create("a", R"({"x":1})"));
  WriteElsewhere("a", R"({"x":2})");
  const auto head = log_.Stream("s", "note:main:a").back();
  auto state = StateAfter(head);
  EXPECT_EQ(Commit(On(Patch("a", R"({"y":1})"), state->version_id())).outcome(), OUTCOME_APPLIED);
}

TEST_F(Races, WritersThatAreAlwaysFirstSendTheOperationBackInTheEnd) {
  CommitLimits limits;
  limits.lost_races_max = 3;
  Restart(limits);
  Commit(Create("a", "0"));
  int writes = 0;
  std::function<void()> write_first = [&] {
    WriteElsewhere("a", absl::StrCat(++writes));
    log_.BeforeNextAppend(write_first);
  };
  log_.BeforeNextAppend(write_first);
  const Result result = Commit(Update("a", "\"ours\""));
  EXPECT_EQ(result.error().code(), "unavailable");
  EXPECT_TRUE(result.error().retryable());
  EXPECT_EQ(writes, 4);
  log_.BeforeNextAppend(nullptr);
  EXPECT_EQ(Commit(Update("a", "1")).outcome(), OUTCOME_APPLIED);
}

TEST_F(Races, AnAtomicBatchThatLostItsRaceIsMadeAgainWhole) {
  Commit(Create("a", R"({"x":1})"));
  Commit(Create("b", R"({"x":1})"));
  WriteElsewhere("b", R"({"x":1,"theirs":1})");
  const auto results =
      CommitAll({Patch("a", R"({"ours":1})"), Patch("b", R"({"ours":1})")}, As::kAtomic);
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("b"), R"({"x":1,"theirs":1,"ours":1})");
}

TEST_F(Races, AnAtomicBatchChecksARememberedHeadToo) {
  Commit(Create("a", "1"));
  Commit(Delete("a"));
  WriteElsewhere("a", "{}");
  const auto results = CommitAll({Create("b", "1"), Patch("a", R"({"y":1})")}, As::kAtomic);
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"y":1})");
}

TEST_F(Races, ALostAnswerIsFoundAgainByItsOpId) {
  Commit(Create("a", R"({"n":0})"));
  const Operation patch = Patch("a", R"({"n":1})");
  log_.FailWith(absl::UnavailableError("connection lost"), /*lose_answers=*/true);
  const Result lost = Commit(patch);
  EXPECT_EQ(lost.error().code(), "unavailable");
  EXPECT_TRUE(lost.error().retryable());
  log_.FailWith(absl::OkStatus());
  EXPECT_EQ(Commit(patch).outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(VersionsOf("a"), 2u);
}

TEST_F(Races, WithTheLogDownEverythingIsSentBack) {
  Commit(Create("a", "1"));
  log_.FailWith(absl::UnavailableError("down"));
  for (const Operation& operation :
       {Update("a", "2"), Create("new", "1"), Create("a", "3"), Patch("none", "{}")}) {
    EXPECT_EQ(Commit(operation).error().code(), "unavailable");
  }
  const auto batch = CommitAll({Update("a", "2"), Update("a", "3")}, As::kAtomic);
  EXPECT_EQ(batch[0].error().code(), "unavailable");
  EXPECT_EQ(batch[1].error().code(), "unavailable");
  log_.FailWith(absl::OkStatus());
  EXPECT_EQ(Commit(Update("a", "4")).outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), "4");
}

TEST_F(Races, LargeDocumentsAreStoredInBoundedAppends) {
  constexpr int kPatches = 12;
  const std::string large = std::string((1 << 20) - 100, 'x');
  Commit(Create("a", R"({"text":")" + large + R"("})"));
  std::vector<Operation> patches;
  for (int i = 0; i < kPatches; ++i) {
    patches.push_back(Patch("a", absl::StrCat(R"({"n":)", i, "}")));
  }
  const auto results = CommitTogether(patches);
  EXPECT_EQ(results.back().revision(), kPatches + 1);
  EXPECT_LT(log_.largest_append(), size_t{5} << 20);
}

TEST_F(Races, HeadsThatAreTooLargeTogetherAreReadInParts) {
  constexpr int kEntities = 20;
  const std::string data = "\"" + std::string(1000, 'x') + "\"";
  std::vector<Operation> operations;
  for (int i = 0; i < kEntities; ++i) Commit(Create(absl::StrCat("e", i), data));
  for (int i = 0; i < kEntities; ++i) operations.push_back(Update(absl::StrCat("e", i), "1"));
  Restart({}, /*cache_bytes=*/0);
  log_.LimitAnswers(3000);
  for (const Result& result : CommitAll(operations, As::kClientBatch)) {
    EXPECT_EQ(result.outcome(), OUTCOME_APPLIED);
    EXPECT_EQ(result.revision(), 2);
  }
  operations.clear();
  for (int i = 0; i < kEntities; ++i) operations.push_back(Update(absl::StrCat("e", i), data));
  for (const Result& result : CommitAll(operations, As::kAtomic)) {
    EXPECT_EQ(result.outcome(), OUTCOME_APPLIED);
    EXPECT_EQ(result.revision(), 3);
  }
}

TEST_F(Races, KnownOperationsThatAreTooLargeTogetherAreFoundInParts) {
  constexpr int kEntities = 20;
  const std::string data = "\"" + std::string(1000, 'x') + "\"";
  std::vector<Operation> operations;
  for (int i = 0; i < kEntities; ++i) operations.push_back(Create(absl::StrCat("e", i), data));
  for (const As as : {As::kClientBatch, As::kAtomic}) {
    CommitAll(operations, as);
    log_.LimitAnswers(3000);
    Restart();
    for (const Result& result : CommitAll(operations, as)) {
      EXPECT_EQ(result.outcome(), OUTCOME_DUPLICATE);
      EXPECT_EQ(result.revision(), 1);
    }
  }
}

TEST_F(Races, AnOperationWithoutAProperOpIdIsRefusedWithItsDependants) {
  for (const std::string& op_id : {std::string(), std::string(kOperationIdBytesMax + 1, 'x')}) {
    Operation bad = Create("a", "1");
    bad.set_op_id(op_id);
    const auto results = CommitAll({bad, Update("a", "2"), Create("b", "1")}, As::kClientBatch);
    EXPECT_EQ(results[0].error().path(), "op_id");
    EXPECT_EQ(results[1].error().code(), "depends_on_rejected");
    const auto atomic = CommitAll({Create("c", "1"), bad}, As::kAtomic);
    EXPECT_EQ(atomic[0].error().code(), "depends_on_rejected");
    EXPECT_EQ(atomic[1].error().path(), "op_id");
    Commit(Delete("b"));
  }
  EXPECT_EQ(DataOf("a"), "none");
}

TEST_F(Races, ManyOldBasesAreReadInBoundedSteps) {
  constexpr int kVersions = 150;
  std::vector<std::string> versions = {Commit(Create("a", R"({"n":0})")).version_id()};
  for (int i = 1; i < kVersions; ++i) {
    versions.push_back(Commit(Patch("a", absl::StrCat(R"({"n":)", i, "}"))).version_id());
  }
  Restart();
  std::vector<Operation> late;
  for (int i = 0; i < kVersions; ++i) {
    late.push_back(On(Patch("a", absl::StrCat(R"({"k)", i, R"(":1})")), versions[i]));
  }
  for (const Result& result : CommitTogether(late)) {
    EXPECT_FALSE(result.has_error()) << result.error().message();
  }
  EXPECT_EQ(VersionsOf("a"), 2u * kVersions);
  EXPECT_THAT(DataOf("a"), ::testing::StartsWith(R"({"n":149,"k0":1,)"));
}

TEST_F(Races, AnotherEntityOfTheSpaceIsNotHeldUpByABatchInFlight) {
  log_.BeforeNextAppend([&] {
    // Another thread, as another call would come.
    std::thread([&] { EXPECT_EQ(Commit(Update("b", "1")).outcome(), OUTCOME_APPLIED); }).join();
    EXPECT_EQ(DataOf("b"), "1");
    EXPECT_EQ(DataOf("a"), "none");
  });
  EXPECT_EQ(Commit(Update("a", "1")).outcome(), OUTCOME_APPLIED);
}

TEST_F(Races, AFullQueueSendsOperationsBack) {
  CommitLimits limits;
  limits.queue_items_max = 2;
  Restart(limits);
  const auto results = CommitTogether({Create("a", "1"), Create("b", "1"), Create("c", "1")});
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[2].error().code(), "unavailable");
  EXPECT_GT(results[2].error().retry_after_ms(), 0);
}

}  // namespace
}  // namespace bdcsync::version::testing
