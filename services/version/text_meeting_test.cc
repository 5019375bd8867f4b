// Text operations and operations of other kinds: each sees what the other did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/version/testing/committer_fixture.h"

namespace bdcsync::version::testing {
namespace {

using common::v1::OUTCOME_APPLIED;
using common::v1::OUTCOME_DUPLICATE;
using common::v1::OUTCOME_MERGED;

class TextMeeting : public CommitterFixture {
 protected:
  int Routed(TextRoute route) { return observer_.text[static_cast<size_t>(route)]; }
  static constexpr char kBang[] = R"([{"retain":1},{"insert":"!"}])";
};

TEST_F(TextMeeting, ATextThatWasReplacedIsEditedWhereItIsTheSame) {
  const std::string base = Commit(Create("a", R"({"t":"one two"})")).version_id();
  Commit(Update("a", R"({"t":"zero, one two"})"));
  const Result result = Commit(On(Text("a", R"([{"retain":3},{"insert":"!"}])"), base));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(result.text(), R"({"path":"/t","ops":[{"retain":9},{"insert":"!"}]})");
  EXPECT_EQ(DataOf("a"), R"({"t":"zero, one! two"})");
  EXPECT_EQ(Routed(TextRoute::kDifference), 1);
  EXPECT_EQ(resolver_.calls(), 0);
}

TEST_F(TextMeeting, ChangesOfOtherPlacesAreNoMatter) {
  const std::string base = Commit(Create("a", R"({"t":".","n":1})")).version_id();
  Commit(Text("a", R"([{"insert":"x"}])"));
  Commit(Patch("a", R"({"n":2})"));
  Commit(On(Text("a", kBang), base));
  EXPECT_EQ(DataOf("a"), R"({"t":"x.!","n":2})");
  EXPECT_EQ(Routed(TextRoute::kSteps), 1);
  Restart();
  Commit(On(Text("a", kBang), base));
  EXPECT_EQ(DataOf("a"), R"({"t":"x.!!","n":2})");
  EXPECT_EQ(Routed(TextRoute::kSteps), 2);
}

TEST_F(TextMeeting, APatchThatDidNotKnowATextOperationIsMerged) {
  const std::string base = Commit(Create("a", R"({"t":".","n":1})")).version_id();
  Commit(On(Text("a", kBang), base));
  EXPECT_EQ(Commit(On(Patch("a", R"({"n":2})"), base)).outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":".!","n":2})");
  EXPECT_EQ(resolver_.calls(), 1);
}

TEST_F(TextMeeting, AnEditWinsOverADeletion) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  Commit(Delete("a"));
  const Result result = Commit(On(Text("a", kBang), base));
  EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(result.data(), R"({"t":".!"})");
  EXPECT_EQ(result.text(), "");
  EXPECT_EQ(DataOf("a"), R"({"t":".!"})");
  EXPECT_EQ(MetaOf("a").text(), "");
  EXPECT_EQ(Routed(TextRoute::kMeeting), 1);
}

TEST_F(TextMeeting, WithoutABaseADeletedTextIsNotFound) {
  Commit(Create("a", R"({"t":"."})"));
  Commit(Delete("a"));
  EXPECT_EQ(Commit(Text("a", kBang)).error().code(), "not_found");
}

TEST_F(TextMeeting, WhereTheTextIsGoneTheRulesMergeIt) {
  const std::string base = Commit(Create("a", R"({"t":".","n":1})")).version_id();
  Commit(Update("a", R"({"t":7,"n":2})"));
  const Result result = Commit(On(Text("a", kBang), base));
  EXPECT_EQ(result.data(), R"({"t":".!","n":2})");
}

TEST_F(TextMeeting, InAnArrayNobodyTrustsPositionsThatOthersMayHaveMoved) {
  const std::string base = Commit(Create("a", R"({"l":[{"t":"one"},{"t":"two"}]})")).version_id();
  Commit(On(Text("a", R"([{"insert":"x"}])", "/l/1/t"), base));
  EXPECT_EQ(Routed(TextRoute::kMeeting), 0);
  const auto second = Commit(On(Text("a", R"([{"insert":"y"}])", "/l/1/t"), base));
  EXPECT_EQ(second.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"l":[{"t":"one"},{"t":"xytwo"}]})");
  Commit(Patch("a", R"([{"op":"remove","path":"/l/0"}])"));
  const Result result = Commit(On(Text("a", R"([{"insert":"z"}])", "/l/0/t"), base));
  EXPECT_EQ(Routed(TextRoute::kMeeting), 1);
  EXPECT_EQ(result.text(), "");
}

TEST_F(TextMeeting, InABatchEachBuildsOnTheOneBefore) {
  const std::string base = Commit(Create("a", R"({"t":".","n":1})")).version_id();
  Commit(On(Text("a", R"([{"insert":"other"}])"), base));
  const auto results = CommitAll({On(Text("a", R"([{"insert":"one"}])"), base),
                                  On(Patch("a", R"([{"op":"test","path":"/t","value":"one."},
                                                   {"op":"replace","path":"/n","value":2}])"),
                                     base),
                                  On(Text("a", R"([{"retain":3},{"insert":"two"}])"), base)},
                                 As::kClientBatch);
  for (const Result& result : results) EXPECT_EQ(result.outcome(), OUTCOME_MERGED);
  EXPECT_EQ(DataOf("a"), R"({"t":"otheronetwo.","n":2})");
}

TEST_F(TextMeeting, ATextBehindACreateOfItsBatchNeedsNothingElse) {
  const auto results = CommitAll({Create("a", "{}"), Text("a", R"([{"insert":"one"}])"),
                                  Text("a", R"([{"retain":3},{"insert":"two"}])")},
                                 As::kClientBatch);
  EXPECT_EQ(results[2].outcome(), OUTCOME_APPLIED);
  EXPECT_EQ(DataOf("a"), R"({"t":"onetwo"})");
}

TEST_F(TextMeeting, ARepeatGetsTheFirstAnswerWithTheOperationAsItWasMoved) {
  const std::string base = Commit(Create("a", R"({"t":"."})")).version_id();
  Commit(On(Text("a", kBang), base));
  const Operation mine = On(Text("a", kBang), base);
  const Result first = Commit(mine);
  Restart();
  const Result again = Commit(mine);
  EXPECT_EQ(again.outcome(), OUTCOME_DUPLICATE);
  EXPECT_EQ(again.version_id(), first.version_id());
  EXPECT_EQ(again.text(), first.text());
  EXPECT_EQ(again.data(), "");
}

}  // namespace
}  // namespace bdcsync::version::testing
