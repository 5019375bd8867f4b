// What each rule does with two changes of one place.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Parse;
using json::Serialize;
using json::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::optional<Value> Json(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return *Parse(text);
}

std::string Text(const std::optional<Value>& value) { return value ? Serialize(*value) : "-"; }

// Merges under one rule for the whole document.
MergeResult By(absl::string_view rule, absl::string_view base, absl::string_view theirs,
               absl::string_view ours, Side later = Side::kOurs) {
  const std::string rules = absl::StrCat(R"({"rules":[{"path":"$",)", rule, "}]}");
  const RuleSet set = *ParseRuleSet(*Parse(rules));
  return Merge(Json(base), Json(theirs), Json(ours), {.rules = &set, .later = later}).value();
}

std::string TextBy(absl::string_view rule, absl::string_view base, absl::string_view theirs,
                   absl::string_view ours, Side later = Side::kOurs) {
  return Text(By(rule, base, theirs, ours, later).value);
}

// "path kind rule chosen" of each.
std::vector<std::string> Lines(const std::vector<Decision>& decisions) {
  std::vector<std::string> lines;
  for (const Decision& d : decisions) {
    lines.push_back(absl::StrCat(d.path, " ", ConflictKindName(d.kind), " ", RuleName(d.rule), " ",
                                 d.chosen ? SideName(*d.chosen) : "open"));
  }
  return lines;
}

TEST(Rules, CounterAddsBothChangesExactly) {
  const char* const rule = R"("rule":"counter")";
  EXPECT_EQ(TextBy(rule, "5", "7", "6"), "8");
  EXPECT_EQ(TextBy(rule, "5", "6", "6"), "7");
  EXPECT_EQ(TextBy(rule, "5", "3", "5"), "3");
  EXPECT_EQ(TextBy(rule, "-", "2", "3"), "5");
  EXPECT_EQ(TextBy(rule, "0.10", "0.30", "0.20"), "0.40");
  EXPECT_EQ(TextBy(rule, "9007199254740992", "9007199254740993", "9007199254740994"),
            "9007199254740995");
  EXPECT_THAT(Lines(By(rule, "5", "7", "6").decisions), ElementsAre(" none counter merged"));
  EXPECT_FALSE(By(rule, "5", "7", "6").overlapped);
  EXPECT_EQ(TextBy(rule, "5", "\"x\"", "6"), "6");  // No number: the `else`.
  EXPECT_EQ(TextBy(R"("rule":"counter","else":"theirs")", "5", "\"x\"", "6"), "\"x\"");
  EXPECT_EQ(TextBy(rule, "5", "1e2000", "6"), "6");  // More digits than a sum may have.
}

TEST(Rules, MaxAndMinCompareNumbersByValueAndTextsByBytes) {
  EXPECT_EQ(TextBy(R"("rule":"max")", "1", "9007199254740993", "9007199254740992"),
            "9007199254740993");
  EXPECT_EQ(TextBy(R"("rule":"min")", "1", "-2", "-1.5"), "-2");
  EXPECT_EQ(TextBy(R"("rule":"max")", R"("2024-01-01")", R"("2024-03-01")", R"("2024-02-01")"),
            R"("2024-03-01")");
  EXPECT_EQ(TextBy(R"("rule":"max")", "9", "1", "9"), "1");  // Only one side changed it.
  EXPECT_EQ(TextBy(R"("rule":"max","else":"theirs")", "1", "\"a\"", "2"), "\"a\"");
}

TEST(Rules, SidesAndTimesDecideAboutTheWholeValue) {
  const char* const base = R"({"a":1,"b":1})";
  const char* const theirs = R"({"a":2,"b":1})";
  const char* const ours = R"({"a":1,"b":3})";
  EXPECT_EQ(TextBy(R"("rule":"ours")", base, theirs, ours), ours);
  EXPECT_EQ(TextBy(R"("rule":"theirs")", base, theirs, ours), theirs);
  EXPECT_EQ(TextBy(R"("rule":"lww")", base, theirs, ours), ours);
  EXPECT_EQ(TextBy(R"("rule":"lww")", base, theirs, ours, Side::kTheirs), theirs);
  EXPECT_EQ(TextBy(R"("rule":"first_write")", base, theirs, ours), theirs);
  EXPECT_EQ(TextBy(R"("rule":"first_write")", base, theirs, ours, Side::kTheirs), ours);
  EXPECT_EQ(TextBy(R"("rule":"atomic","else":"theirs")", base, theirs, ours), theirs);
  EXPECT_EQ(TextBy(R"("rule":"three_way","else":"theirs")", base, theirs, ours),
            R"({"a":2,"b":3})");
}

TEST(Rules, AskLeavesTheConflictOpenAndTheResultHoldsTheirs) {
  const MergeResult result = By(R"("rule":"ask")", "1", "2", "3");
  EXPECT_EQ(Text(result.value), "2");
  EXPECT_THAT(result.decisions, IsEmpty());
  EXPECT_THAT(Lines(result.conflicts), ElementsAre(" edit_edit ask open"));
  EXPECT_EQ(Text(result.conflicts[0].ours), "3");
}

TEST(Rules, KindsOfConflictAreTold) {
  const char* const ask = R"("rule":"three_way","else":"ask","delete":"else")";
  EXPECT_THAT(Lines(By(ask, R"({"a":1})", R"({"a":2})", R"({"a":3})").conflicts),
              ElementsAre("/a edit_edit ask open"));
  EXPECT_THAT(Lines(By(ask, R"({"a":1})", "{}", R"({"a":3})").conflicts),
              ElementsAre("/a edit_delete ask open"));
  EXPECT_THAT(Lines(By(ask, "{}", R"({"a":2})", R"({"a":3})").conflicts),
              ElementsAre("/a add_add ask open"));
  EXPECT_THAT(Lines(By(ask, R"({"a":1})", R"({"a":"x"})", R"({"a":3})").conflicts),
              ElementsAre("/a type ask open"));
  EXPECT_THAT(Lines(By(ask, R"({"a":[1]})", R"({"a":[2]})", R"({"a":[3]})").conflicts),
              ElementsAre("/a region ask open"));
}

TEST(Rules, WhatDecidesAboutARemovalCanBeSaid) {
  EXPECT_EQ(TextBy(R"("rule":"atomic","delete":"delete_wins")", "1", "-", "2"), "-");
  EXPECT_EQ(TextBy(R"("rule":"atomic","delete":"else")", "1", "-", "2"), "2");
  EXPECT_EQ(TextBy(R"("rule":"atomic","delete":"else")", "1", "2", "-"), "-");
  EXPECT_EQ(TextBy(R"("rule":"atomic")", "1", "2", "-"), "2");
  EXPECT_EQ(TextBy(R"("rule":"ours")", "1", "2", "-"), "-");
  EXPECT_EQ(TextBy(R"("rule":"ours","delete":"edit_wins")", "1", "2", "-"), "2");
}

TEST(Rules, StateMachineTakesTheFurtherState) {
  const char* const rule = R"("rule":"state_machine","else":"ask",)"
                           R"("transitions":{"new":["open","void"],"open":["done"]})";
  EXPECT_EQ(TextBy(rule, R"("new")", R"("open")", R"("done")"), R"("done")");
  EXPECT_EQ(TextBy(rule, R"("new")", R"("done")", R"("open")"), R"("done")");
  EXPECT_THAT(Lines(By(rule, R"("new")", R"("void")", R"("open")").conflicts),
              ElementsAre(" violation ask open"));
  EXPECT_THAT(Lines(By(rule, R"("done")", R"("new")", R"("open")").conflicts),
              ElementsAre(" violation ask open"));
  EXPECT_EQ(TextBy(rule, R"("done")", R"("new")", R"("done")"), R"("new")");  // One side only.
}

TEST(Rules, SetUnionKeepsWhatWasAddedAndDropsWhatWasRemoved) {
  const char* const rule = R"("rule":"set_union")";
  EXPECT_EQ(TextBy(rule, "[1,2,3]", "[1,3,4]", "[0,1,2,3]"), "[0,1,3,4]");
  EXPECT_EQ(TextBy(rule, "[]", "[1]", "[1.0,2]"), "[1.0,2]");
  EXPECT_EQ(TextBy(rule, "-", "[1]", "[2]"), "[1,2]");
  EXPECT_EQ(TextBy(rule, "-", "[1]", "[2]", Side::kTheirs), "[2,1]");
  EXPECT_EQ(TextBy(rule, "[1]", "[1,1]", "[1,2]"), "[1,2]");
  EXPECT_EQ(TextBy(rule, "[1]", "[1,1]", "[1]"), "[1,1]");
  EXPECT_EQ(TextBy(rule, "[1,2]", "[1,1,2,9]", "[1,2,8]"), "[1,2,9,8]");
  EXPECT_EQ(TextBy(rule, "[1,1,2]", "[1,1,1,1,1,1,1,1,2,9,9]", "[1,2,1,2,8]"), "[1,2,9,8]");
  EXPECT_THAT(Lines(By(rule, "[1,2]", "[2]", "[1,2,3]").decisions),
              ElementsAre(" none set_union merged"));
}

TEST(Rules, TextMergesByLinesAndWords) {
  const char* const rule = R"("rule":"text","else":"ask")";
  const auto merged = [&](const char* base, const char* theirs, const char* ours) {
    return std::string(
        By(rule, Serialize(base), Serialize(theirs), Serialize(ours)).value->string());
  };
  EXPECT_EQ(merged("a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\nd\n"), "a\nB\nc\nd\n");
  EXPECT_EQ(merged("the quick fox", "the slow fox", "the quick fox jumps"), "the slow fox jumps");
  EXPECT_EQ(merged("one two", "one and two", "one, two"), "one, and two");
  EXPECT_EQ(merged("", "theirs ", "ours "), "theirs ours ");
  const MergeResult overlap =
      By(rule, R"("the quick fox")", R"("the slow fox")", R"("the red fox")");
  EXPECT_THAT(Lines(overlap.conflicts), ElementsAre(" region ask open"));
  EXPECT_EQ(
      TextBy(R"("rule":"text")", R"("the quick fox")", R"("the slow fox")", R"("the red fox!")"),
      R"("the red fox!")");
  EXPECT_EQ(TextBy(R"("rule":"text","else":"theirs")", R"("the quick fox")", R"("the slow fox")",
                   R"("the red fox!")"),
            R"("the slow fox!")");
}

TEST(Rules, TextIsMergedByWhomeverTheOptionsName) {
  class Joiner final : public TextMerger {
   public:
    MergedText Merge(absl::string_view base, absl::string_view theirs, absl::string_view ours,
                     Side winner) const override {
      return {absl::StrCat(base, "|", theirs, "|", ours, "|", SideName(winner)), false};
    }
  };
  const Joiner joiner;
  const RuleSet set =
      *ParseRuleSet(*Parse(R"({"rules":[{"path":"$","rule":"text","else":"theirs"}]})"));
  const MergeResult result =
      Merge(Json(R"("a")"), Json(R"("b")"), Json(R"("c")"), {.rules = &set, .text = &joiner})
          .value();
  EXPECT_EQ(Text(result.value), R"("a|b|c|theirs")");
}

TEST(Rules, AnElseMayHaveAnElse) {
  const char* const rule =
      R"("rule":"counter","else":{"rule":"max","else":{"rule":"text","else":"first_write"}})";
  EXPECT_EQ(TextBy(rule, "1", "2", "3"), "4");
  EXPECT_EQ(TextBy(rule, "true", "2", "3"), "3");
  EXPECT_EQ(TextBy(rule, "true", "2", "false"), "2");
}

TEST(Rules, APlaceWithoutARuleTakesTheElseFromAbove) {
  const RuleSet set = *ParseRuleSet(*Parse(
      R"({"rules":[{"path":"$.a","rule":"three_way","else":"theirs"},
                   {"path":"$.a.x","rule":"ours"}],"else":"ask"})"));
  const MergeResult result =
      Merge(Json(R"({"a":{"b":{"c":1},"x":1},"d":1})"), Json(R"({"a":{"b":{"c":2},"x":2},"d":2})"),
            Json(R"({"a":{"b":{"c":3},"x":3},"d":3})"), {.rules = &set})
          .value();
  EXPECT_THAT(Lines(result.decisions),
              ElementsAre("/a/b/c edit_edit theirs theirs", "/a/x edit_edit ours ours"));
  EXPECT_THAT(Lines(result.conflicts), ElementsAre("/d edit_edit ask open"));
}

// Answers every question with the same, and keeps what was asked.
class FixedEvaluator final : public RuleEvaluator {
 public:
  explicit FixedEvaluator(Answer answer) : answer_(std::move(answer)) {}
  Answer Evaluate(const Question& question) override {
    asked_.push_back(absl::StrCat(question.path, " ", RuleName(question.rule.kind), " ",
                                  ConflictKindName(question.kind)));
    return answer_;
  }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  const Answer answer_;
  std::vector<std::string> asked_;
};

const char* const kRemote = R"({"rules":[],"else":{"rule":"remote","resolver":"r","else":"min"}})";

MergeResult Asking(RuleEvaluator* evaluator, absl::string_view base, absl::string_view theirs,
                   absl::string_view ours) {
  const RuleSet set = *ParseRuleSet(*Parse(kRemote));
  return Merge(Json(base), Json(theirs), Json(ours), {.rules = &set, .evaluator = evaluator})
      .value();
}

TEST(Evaluator, WithoutOneTheElseDecidesWithANote) {
  const MergeResult result = Asking(nullptr, "1", "2", "3");
  EXPECT_EQ(Text(result.value), "2");
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_EQ(result.notes[0].text, "rule remote is not followed here");
}

TEST(Evaluator, APendingPlaceHoldsTheirsAndIsInNoList) {
  FixedEvaluator evaluator({.kind = Answer::Kind::kPending});
  const MergeResult result = Asking(&evaluator, R"({"a":1,"b":[1,2,3],"c":1})",
                                    R"({"a":2,"b":[1,4,3],"c":2})", R"({"a":3,"b":[1,5,3],"c":1})");
  EXPECT_EQ(result.pending, 2u);
  EXPECT_EQ(Text(result.value), R"({"a":2,"b":[1,4,3],"c":2})");
  EXPECT_THAT(Lines(result.decisions), ElementsAre("/c none three_way theirs"));
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_THAT(evaluator.asked(), ElementsAre("/a remote edit_edit", "/b remote region"));
}

TEST(Evaluator, AnswersStandInTheResult) {
  FixedEvaluator value({.kind = Answer::Kind::kValue, .value = Json("[7]")});
  const MergeResult result =
      Asking(&value, R"({"a":1,"b":[1,2,3]})", R"({"a":2,"b":[1,4,3]})", R"({"a":3,"b":[1,5,3]})");
  EXPECT_EQ(Text(result.value), R"({"a":[7],"b":[1,7,3]})");
  EXPECT_THAT(Lines(result.decisions),
              ElementsAre("/a edit_edit remote value", "/b region remote value"));
  FixedEvaluator nothing({.kind = Answer::Kind::kValue});
  EXPECT_EQ(Text(Asking(&nothing, R"({"a":1})", R"({"a":2})", R"({"a":3})").value), "{}");
  FixedEvaluator otherwise({});
  EXPECT_EQ(Text(Asking(&otherwise, "1", "2", "3").value), "2");
  EXPECT_THAT(Asking(&otherwise, "1", "2", "3").notes, IsEmpty());
}

TEST(Evaluator, ProgramsAreNotAskedAboutPlacesInLists) {
  const RuleSet set =
      *ParseRuleSet(*Parse(R"({"rules":[{"path":"$","rule":"keyed_list","key":"id","else":)"
                           R"({"rule":"remote","resolver":"r","else":"theirs"}}]})"));
  FixedEvaluator evaluator({.kind = Answer::Kind::kSide, .side = Side::kOurs});
  const auto theirs = Json(R"([{"id":2},{"id":1},{"id":3},{"id":4}])");
  const MergeResult result = Merge(Json(R"([{"id":1},{"id":2},{"id":3},{"id":4}])"), theirs,
                                   Json(R"([{"id":2},{"id":3},{"id":4},{"id":1}])"),
                                   {.rules = &set, .evaluator = &evaluator})
                                 .value();
  EXPECT_EQ(Text(result.value), Text(theirs));
  EXPECT_THAT(evaluator.asked(), IsEmpty());
}

TEST(Standing, NoRuleChoosesASideAndNobodyIsAsked) {
  for (const char* rule : {"ours", "lww", "ask", "max", "first_write"}) {
    const RuleSet set =
        *ParseRuleSet(*Parse(absl::StrCat(R"({"rules":[],"else":")", rule, R"("})")));
    const MergeOptions options{.rules = &set, .standing = Side::kTheirs};
    const MergeResult result =
        Merge(Json(R"({"a":1,"b":1})"), Json(R"({"a":2})"), Json(R"({"a":3,"b":2})"), options)
            .value();
    EXPECT_EQ(Text(result.value), R"({"a":2})") << rule;
    EXPECT_THAT(result.conflicts, IsEmpty());
  }
}

}  // namespace
}  // namespace bdcsync::merge
