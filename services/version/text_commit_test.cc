// Text operations and each other: order at one place, batches, repeats, memory and log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;
using common::v1::OUTCOME_REJECTED;

class TextCommit : public CommitterFixture {
 protected:
  static std::string CodeOf(const Result& result) {
    return result.has_error() ? result.error().code() : "ok";
  }
  int Routed(TextRoute route) { return observer_.text[static_cast<size_t>(route)]; }
  std::string Insert(int at, const std::string& text) {
    return at == 0 ? R"([{"insert":")" + text + R"("}])"
                   : absl::StrCat("[{\"retain\":", at, "},{\"insert\":\"", text, "\"}]");
  }
};

TEST_F(TextCommit, AppliesOnTheHeadAndKeepsTheOperation) {
  const std::string base = Commit(Create("a", R"({"t":"ab","n":1})")).version_id();
  const Result result = Commit(On(Text("a", Insert(1, "x")), base));
  EXPECT_EQ(result.outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(result.text(), "");
  EXPECT_EQ(result.data(), "");
  EXPECT_EQ(DataOf("a"), R"({"t":"axb","n":1})");
  EXPECT_EQ(MetaOf("a").text(), R"({"path":"/t","ops":[{"retain":1},{"insert":"x"}]})");
  EXPECT_THAT(MetaOf("a").changed_paths(), ::testing::ElementsAre("/t"));
  EXPECT_EQ(MetaOf("a").parents_size(), 1);
}

TEST_F(TextCommit, WithoutABaseItIsDoneToTheHeadAsItIs) {
  Commit(Create("a", R"({"t":"ab"})"));
  Commit(Text("a", Insert(0, "x")));
  const Result result = Commit(Text("a", Insert(0, "y")));
  EXPECT_EQ(result.outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"t":"yxab"})");
}

TEST_F(TextCommit, OfTwoInsertsAtOnePlaceTheEarlierCommitStandsFirst) {
  const std::string base = Commit(Create("a", R"({"t":"ab"})")).version_id();
  Commit(On(Text("a", Insert(1, "1")), base));
  const Result result = Commit(On(Text("a", Insert(1, "2")), base));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(result.text(), R"({"path":"/t","ops":[{"retain":2},{"insert":"2"}]})");
  EXPECT_EQ(result.data(), "");
  EXPECT_EQ(DataOf("a"), R"({"t":"a12b"})");
  EXPECT_EQ(MetaOf("a").text(), result.text());
  EXPECT_EQ(MetaOf("a").parents(1), base);
  EXPECT_EQ(Routed(TextRoute::kSteps), 1);
  EXPECT_EQ(log_.stream_reads(), 0);
}

TEST_F(TextCommit, OnAHeadThatIsInMemoryTheLogIsOnlyAppendedTo) {
  std::string head = Commit(Create("a", R"({"t":"ab"})")).version_id();
  for (int i = 0; i < 3; ++i) {
    const std::string base = head;
    head = Commit(On(Text("a", Insert(1, "1")), base)).version_id();
    Commit(On(Text("a", Insert(2, "2")), base));  // Moved over the one before.
    head = CommitAll({On(Text("a", Insert(0, "3")), head), On(Text("a", Insert(1, "4")), head)},
                     As::kClientBatch)
               .back()
               .version_id();
  }
  EXPECT_EQ(VersionsOf("a"), 13u);
  EXPECT_EQ(log_.head_reads() + log_.stream_reads() + log_.operation_reads(), 0);
}

TEST_F(TextCommit, OfTwoValuesForOneFormatTheEarlierCommitWins) {
  const std::string base = Commit(Create("a", R"({"t":[{"insert":"ab"}]})")).version_id();
  Commit(On(Text("a", R"([{"retain":2,"attributes":{"c":"red"}}])"), base));
  const Result result =
      Commit(On(Text("a", R"([{"retain":2,"attributes":{"c":"blue","b":true}}])"), base));
  EXPECT_EQ(result.text(), R"({"path":"/t","ops":[{"retain":2,"attributes":{"b":true}}]})");
  EXPECT_EQ(DataOf("a"), R"({"t":[{"insert":"ab","attributes":{"b":true,"c":"red"}}]})");
}

TEST_F(TextCommit, OperationsOnOneBaseInOneBatchOfTheServiceAreMovedOverEachOther) {
  const std::string base = Commit(Create("a", R"({"t":""})")).version_id();
  const auto results =
      CommitTogether({On(Text("a", Insert(0, "1")), base), On(Text("a", Insert(0, "2")), base),
                      On(Text("a", Insert(0, "3")), base)});
  EXPECT_EQ(results[0].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[2].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":"123"})");
  EXPECT_EQ(log_.appends(), 3) << "one for the entity, one to keep busy, one for all of these";
}

TEST_F(TextCommit, OperationsOfOneClientBatchBuildOnEachOther) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  Commit(On(Text("a", Insert(0, "other")), base));
  const auto results =
      CommitAll({On(Text("a", Insert(0, "a")), base), On(Text("a", Insert(1, "b")), base),
                 On(Text("a", R"([{"delete":1},{"retain":1},{"insert":"c"}])"), base)},
                As::kClientBatch);
  EXPECT_EQ(DataOf("a"), R"({"t":"otherbc."})");
  EXPECT_EQ(results[1].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(results[1].text(), R"({"path":"/t","ops":[{"retain":6},{"insert":"b"}]})");
}

TEST_F(TextCommit, ARepeatedBatchOfWhichAPartArrivedGoesOnWhereItWas) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  const std::vector<Operation> mine = {On(Text("a", Insert(0, "a")), base),
                                       On(Text("a", Insert(1, "b")), base),
                                       On(Text("a", Insert(2, "c")), base)};
  Commit(On(Text("a", Insert(0, "X")), base));
  CommitAll({mine[0], mine[1]}, As::kClientBatch);
  Commit(Text("a", Insert(0, "Y")));
  for (const bool restarted : {false, true}) {
    if (restarted) Restart();
    const auto results = CommitAll(mine, As::kClientBatch);
    EXPECT_EQ(results[0].outcome(), OUTCOME_DUPLICATE);
    EXPECT_EQ(results[1].text(), R"({"path":"/t","ops":[{"retain":2},{"insert":"b"}]})");
    EXPECT_EQ(DataOf("a"), R"({"t":"YXabc."})");
    EXPECT_EQ(results[2].outcome(), restarted ? OUTCOME_DUPLICATE : OUTCOME_MERGED);
  }
}

TEST_F(TextCommit, WhatABatchHoldsTwiceIsTypedOnce) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  Commit(On(Text("a", Insert(0, "X")), base));
  const Operation first = On(Text("a", Insert(0, "a")), base);
  CommitAll({first, first, On(Text("a", Insert(1, "b")), base), first,
             On(Text("a", Insert(2, "c")), base)},
            As::kClientBatch);
  EXPECT_EQ(DataOf("a"), R"({"t":"Xabc."})");
}

// A text operation after a repeated merge of another kind finds its base.
TEST_F(TextCommit, AfterARepeatedMergeOfTheWholeTextGoesOnWhereItsClientWas) {
  for (const bool repeated : {false, true}) {
    const std::string id = repeated ? "twice" : "once";
    const std::string base = Commit(Create(id, R"({"t":"one","n":1})")).version_id();
    Commit(Patch(id, R"({"n":2})"));
    const std::vector<Operation> mine = {On(Patch(id, R"({"t":"two"})"), base),
                                         On(Text(id, Insert(3, "!")), base)};
    if (repeated) {
      CommitAll({mine[0]}, As::kClientBatch);
      Restart();
    }
    CommitAll(mine, As::kClientBatch);
    EXPECT_EQ(DataOf(id), R"({"t":"two!","n":2})");
  }
}

TEST_F(TextCommit, TextsOfOneEntityAreApart) {
  const std::string base = Commit(Create("a", R"({"t":"","u":""})")).version_id();
  Commit(On(Text("a", Insert(0, "long")), base));
  const auto results = CommitAll(
      {On(Text("a", Insert(0, "1"), "/u"), base), On(Text("a", Insert(0, "2"), "/t"), base),
       On(Text("a", Insert(1, "3"), "/u"), base)},
      As::kClientBatch);
  EXPECT_EQ(results[2].text(), R"({"path":"/u","ops":[{"retain":1},{"insert":"3"}]})");
  EXPECT_EQ(DataOf("a"), R"({"t":"long2","u":"13"})");
}

TEST_F(TextCommit, WhatIsNotInMemoryIsReadFromTheLogWithoutData) {
  const std::string base = Commit(Create("a", R"({"t":"ab"})")).version_id();
  Commit(On(Text("a", Insert(1, "1")), base));
  Commit(Text("a", Insert(0, "0")));
  Restart();
  const Result result = Commit(On(Text("a", Insert(1, "2")), base));
  EXPECT_EQ(DataOf("a"), R"({"t":"0a12b"})");
  EXPECT_EQ(log_.stream_reads(), 1);
  Commit(On(Text("a", Insert(2, "3")), base));
  EXPECT_EQ(DataOf("a"), R"({"t":"0a12b3"})");
  EXPECT_EQ(log_.stream_reads(), 1) << "what was read stays in memory";
  EXPECT_EQ(Routed(TextRoute::kSteps), 2);
}

TEST_F(TextCommit, ATrailThatBeginsWithWhatIsNotStoredYetIsNotLookedForInTheLog) {
  const std::string old = Commit(Create("b", R"({"n":1})")).version_id();
  Commit(Patch("b", R"({"n":2})"));
  Commit(Create("a", R"({"t":"ab"})"));
  // The rules are asked about b while the patch of a is not stored and its text edited on top.
  const auto results = CommitTogether(
      {Patch("a", R"({"n":1})"), Text("a", Insert(0, "x")), On(Patch("b", R"({"n":3})"), old)});
  EXPECT_EQ(results[1].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(results[2].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":"xab","n":1})");
  EXPECT_EQ(log_.stream_reads(), 1) << "the base of b";
}

TEST_F(TextCommit, TheMemoryOfOneTextIsBounded) {
  CommitLimits limits;
  limits.data.text_trail_bytes_max = 0;
  Restart(limits);
  const std::string base = Commit(Create("a", R"({"t":""})")).version_id();
  Commit(On(Text("a", Insert(0, "1")), base));
  Commit(On(Text("a", Insert(0, "2")), base));
  EXPECT_EQ(DataOf("a"), R"({"t":"12"})");
  EXPECT_EQ(log_.stream_reads(), 1);
}

TEST_F(TextCommit, AnotherReplicasOperationsAreMovedOverToo) {
  const std::string base = Commit(Create("a", R"({"t":""})")).version_id();
  HeadCache other_cache(1 << 20);
  Committer other(log_, resolver_, facts_, other_cache, random_, observer_, {});
  log_.BeforeNextAppend([&] {
    v1::CommitRequest request;
    *request.add_items()->mutable_operation() = On(Text("a", Insert(0, "theirs")), base);
    v1::CommitResponse response;
    EXPECT_TRUE(other.Commit(request, response, [] {}).ok());
    EXPECT_EQ(response.results(0).outcome(), OUTCOME_APPLIED);
  });
  const auto results =
      CommitAll({On(Text("a", Insert(0, "ours")), base), On(Text("a", Insert(4, "!")), base)},
                As::kClientBatch);
  EXPECT_EQ(results[0].outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":"theirsours!"})");
}

TEST_F(TextCommit, ALargeOperationIsNotKeptAndMovedOverByDifference) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  const std::string large(kKeptTextBytesMax, 'x');
  Commit(On(Text("a", Insert(0, large)), base));
  EXPECT_EQ(MetaOf("a").text(), "");
  Restart();
  const Result result = Commit(On(Text("a", Insert(1, "!")), base));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":")" + large + R"(.!"})");
  EXPECT_EQ(Routed(TextRoute::kDifference), 1);
}

// The log takes descriptions of 64 KiB.
TEST_F(TextCommit, OperationsOfAnySizeAreDescribedWithinWhatTheLogTakes) {
  constexpr size_t kLogTakes = size_t{64} << 10;
  const std::string name(kKeptTextBytesMax / 2, 'n');
  Commit(Create("a", R"({"t":".",")" + name + R"(":"."})"));
  const auto described = [this](Operation operation) {
    operation.set_metadata(std::string(kMetadataBytesMax, 'm'));
    operation.set_message(std::string(kMessageBytesMax, 'm'));
    EXPECT_EQ(Commit(operation).outcome(), OUTCOME_APPLIED);
    return log_.Stream("s", "note:main:a").back().meta().size();
  };
  size_t kept = 0;
  for (size_t rest = 0; rest <= 8192; rest += 64) {
    const std::string text(kKeptTextBytesMax - rest, 'x');
    EXPECT_LE(described(Text("a", Insert(0, text))), kLogTakes) << text.size();
    if (!MetaOf("a").text().empty()) kept = std::max(kept, text.size());
    described(Update("a", R"({"t":".",")" + name + R"(":"."})"));
  }
  EXPECT_GT(kept, kKeptTextBytesMax - 8192) << "what fits is kept";
  EXPECT_LE(described(Text("a", Insert(0, "x"), "/" + name)), kLogTakes) << "a long path";
}

TEST_F(TextCommit, BasesNearerThanTheLimitAreMovedOverEachStep) {
  CommitLimits limits;
  limits.data.text_distance_max = 5;
  for (const int distance : {4, 5, 6}) {
    Restart(limits);
    const std::string id = absl::StrCat("e", distance);
    const std::string base = Commit(Create(id, R"({"t":"."})")).version_id();
    for (int i = 0; i < distance; ++i) Commit(Text(id, Insert(0, "x")));
    const int by_difference = Routed(TextRoute::kDifference);
    const Result result = Commit(On(Text(id, Insert(1, "!")), base));
    EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
    EXPECT_EQ(DataOf(id),
              R"({"t":")" + std::string(static_cast<size_t>(distance), 'x') + R"(.!"})");
    EXPECT_EQ(Routed(TextRoute::kDifference) - by_difference, distance > 5 ? 1 : 0) << distance;
  }
}

TEST_F(TextCommit, StepsThatTakeTooMuchWorkTogetherAreCrossedByTheirDifference) {
  CommitLimits limits;
  // Over three steps of one component each, one of two components.
  for (const size_t work_max : {15, 14}) {
    const std::string id = absl::StrCat("e", work_max);
    limits.data.text_steps_work_max = work_max;
    Restart(limits);
    const std::string base = Commit(Create(id, R"({"t":"."})")).version_id();
    for (int i = 0; i < 3; ++i) Commit(Text(id, Insert(0, "x")));
    const int by_difference = Routed(TextRoute::kDifference);
    const Result result = Commit(On(Text(id, Insert(1, "!")), base));
    EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
    EXPECT_EQ(DataOf(id), R"({"t":"xxx.!"})");
    EXPECT_EQ(Routed(TextRoute::kDifference) - by_difference, work_max < 15 ? 1 : 0) << work_max;
  }
}

TEST_F(TextCommit, WhatDoesNotFitIsRefusedWithItsPlace) {
  const std::string base = Commit(Create("a", "{\"t\":\"a\U0001F600\",\"n\":1}")).version_id();
  Commit(On(Text("a", Insert(0, "xxx")), base));
  const auto refused = [&](Operation operation) {
    const Result result = Commit(operation);
    return CodeOf(result) + " " + result.error().path();
  };
  EXPECT_EQ(refused(Text("a", R"([{"retain":6},{"delete":1}])")), "invalid_argument /text/ops/1");
  EXPECT_EQ(refused(Text("a", Insert(5, "x"))), "invalid_argument /text/ops/0");
  EXPECT_EQ(refused(On(Text("a", Insert(4, "x")), base)), "invalid_argument /text/ops/0")
      << "it fits the head, but not what its client had";
  EXPECT_EQ(refused(On(Text("a", Insert(2, "x")), base)), "invalid_argument /text/ops");
  EXPECT_EQ(refused(Text("a", Insert(0, "x"), "/n")), "precondition_failed /text/path");
  EXPECT_EQ(refused(Text("a", Insert(0, "x"), "/m/t")), "precondition_failed /text/path");
  EXPECT_EQ(refused(Text("b", Insert(0, "x"))), "not_found ");
  EXPECT_EQ(refused(On(Text("a", Insert(0, "x")), "1-00000000000000ff")),
            "base_not_found base_version");
  EXPECT_EQ(refused(On(Text("a", Insert(0, "x")), "9-00000000000000ff")),
            "base_not_found base_version");
  EXPECT_EQ(VersionsOf("a"), 2u);
}

TEST_F(TextCommit, ARefusedOperationLeavesNoTraceInWhatFollows) {
  CommitLimits limits;
  limits.data.data_bytes_max = 100;
  Restart(limits);
  Commit(Create("a", R"({"t":""})"));
  const auto results =
      CommitTogether({Text("a", Insert(0, "1")), Text("a", Insert(9, "2")),
                      Text("a", Insert(0, std::string(60, 'x'))),
                      Text("a", Insert(0, std::string(60, 'y'))), Text("a", Insert(0, "3"))});
  EXPECT_EQ(CodeOf(results[1]), "invalid_argument");
  EXPECT_EQ(CodeOf(results[3]), "too_large");
  EXPECT_EQ(DataOf("a"), R"({"t":"3)" + std::string(60, 'x') + R"(1"})");
}

TEST_F(TextCommit, AnAtomicBatchWaitsForWhatHasToBeRead) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  Commit(Create("b", R"({"t":"."})"));
  Commit(On(Update("a", R"({"t":"new."})"), base));
  Restart();
  const int appends = log_.appends();
  const auto results =
      CommitAll({Text("b", Insert(0, "b")), On(Text("a", Insert(1, "a")), base)}, As::kAtomic);
  EXPECT_EQ(CodeOf(results[0]) + CodeOf(results[1]), "okok");
  EXPECT_EQ(DataOf("a"), R"({"t":"new.a"})");
  EXPECT_EQ(log_.appends(), appends + 1);
}

}  // namespace
}  // namespace bdcsync::version::testing
