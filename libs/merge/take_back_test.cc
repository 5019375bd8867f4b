// Decisions that are taken back, with what was written since.
#include "libs/merge/take_back.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/merge_cases_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Value;

std::optional<Value> Json(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return *json::Parse(text);
}

std::string Text(const std::optional<Value>& value) {
  return value ? json::Serialize(*value) : "-";
}

// A merge that was recorded, and the head after it.
struct Story {
  std::string rules = R"({"rules":[]})";
  std::string base, theirs, ours;
  std::string head = "resolved";

  absl::StatusOr<MergeResult> TakeBack(const std::vector<std::string>& paths = {}) const {
    const RuleSet set = *ParseRuleSet(*json::Parse(rules));
    const MergeOptions options{.rules = &set};
    const MergeResult resolved = Merge(Json(base), Json(theirs), Json(ours), options).value();
    return merge::TakeBack(resolved.decisions, paths, resolved.value,
                           head == "resolved" ? resolved.value : Json(head), options);
  }
  std::string Result(const std::vector<std::string>& paths = {}) const {
    const absl::StatusOr<MergeResult> result = TakeBack(paths);
    EXPECT_OK(result);
    return result.ok() ? Text(result->value) : "";
  }
};

const Story kTwoFields{.base = R"({"a":1,"b":1,"c":1,"d":1})",
                       .theirs = R"({"a":2,"b":2,"c":2,"d":1})",
                       .ours = R"({"a":3,"b":3,"c":1,"d":3})"};

TEST(TakeBack, TheLosingValuesStandAgain) {
  EXPECT_EQ(kTwoFields.Result(), R"({"a":2,"b":2,"c":2,"d":3})");
}

TEST(TakeBack, OnlyAtThePathsNamed) {
  EXPECT_EQ(kTwoFields.Result({"/b"}), R"({"a":3,"b":2,"c":2,"d":3})");
  EXPECT_EQ(kTwoFields.Result({"/b", "/a"}), R"({"a":2,"b":2,"c":2,"d":3})");
}

TEST(TakeBack, ACleanChangeIsTakenBackOnlyByName) {
  EXPECT_EQ(kTwoFields.Result({"/d"}), R"({"a":3,"b":3,"c":2,"d":1})");
  EXPECT_EQ(kTwoFields.Result({"/c"}), R"({"a":3,"b":3,"c":1,"d":3})");
}

TEST(TakeBack, AnUnknownPathIsRefusedByName) {
  const absl::Status status = kTwoFields.TakeBack({"/a", "/x"}).status();
  EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
  EXPECT_EQ(PathOf(status), "/x");
}

TEST(TakeBack, WhatWasWrittenSinceStays) {
  Story story = kTwoFields;
  story.head = R"({"a":9,"b":3,"c":2,"d":3,"e":1})";
  EXPECT_EQ(story.Result(), R"({"a":9,"b":2,"c":2,"d":3,"e":1})");
  story.head = "-";
  EXPECT_EQ(story.Result(), "-");
  story.rules = R"({"rules":[],"else":"ours"})";
  story.head = R"({"a":9,"b":3,"c":2,"d":3})";
  EXPECT_EQ(story.Result(), R"({"a":9,"b":2,"c":2,"d":3})") << "rules choose no side here";
  story.rules = R"({"rules":[{"path":"$.b","rule":"theirs"},{"path":"$.b","rule":"ask"}]})";
  EXPECT_TRUE(story.TakeBack()->conflicts.empty()) << "nobody is asked";
}

TEST(TakeBack, RemovalsAndWhatTheyRemoved) {
  const Story edit_won{.base = R"({"a":1})", .theirs = "{}", .ours = R"({"a":2})"};
  EXPECT_EQ(edit_won.Result(), "{}");
  const Story removal_won{.rules = R"({"rules":[],"delete":"delete_wins"})",
                          .base = R"({"a":1})",
                          .theirs = R"({"a":2})",
                          .ours = "{}"};
  EXPECT_EQ(removal_won.Result(), R"({"a":2})");
  const Story whole{.base = "1", .theirs = "-", .ours = "2"};
  EXPECT_EQ(whole.Result(), "-");
}

TEST(TakeBack, OfASumTheirsStands) {
  Story story{.rules = R"({"rules":[{"path":"$.n","rule":"counter"}]})",
              .base = R"({"n":5})",
              .theirs = R"({"n":7})",
              .ours = R"({"n":6})"};
  EXPECT_EQ(story.Result(), R"({"n":8})") << "nothing lost: only by name";
  EXPECT_EQ(story.Result({"/n"}), R"({"n":7})");
  story.head = R"({"n":18})";
  EXPECT_EQ(story.Result({"/n"}), R"({"n":17})") << "what was counted since stays";
}

TEST(TakeBack, StretchesOfAList) {
  Story story{.base = "[1,2,3,4,5]", .theirs = "[0,2,3,4,6]", .ours = "[9,9,2,3,4,8]"};
  EXPECT_EQ(story.Result(), "[0,2,3,4,6]");
  story.head = "[9,9,2,3,7,4,8]";
  EXPECT_EQ(story.Result(), "[0,2,3,7,4,6]");
  const Story emptied{.rules = R"({"rules":[],"delete":"delete_wins"})",
                      .base = "[1,2,3]",
                      .theirs = "[1,4,3]",
                      .ours = "[1,3]"};
  EXPECT_EQ(emptied.Result(), "[1,4,3]");
}

TEST(TakeBack, StretchesThatWereLeftEmptyBeforeOthers) {
  const Story story{.rules = R"({"rules":[],"delete":"else"})",
                    .base = "[3,2,9,4,5]",
                    .theirs = "[0,2,3,14,6]",
                    .ours = "[9,9,2,3,4]"};
  EXPECT_EQ(story.Result(), story.theirs);
}

TEST(TakeBack, ElementsOfAKeyedList) {
  Story story{.rules = R"({"rules":[{"path":"$.l","rule":"keyed_list","key":["id","t"]}]})",
              .base = R"({"l":[{"id":1,"t":"x,id=2","a":1},{"id":2,"t":"y","a":1}]})",
              .theirs = R"({"l":[{"id":1,"t":"x,id=2","a":2}]})",
              .ours = R"({"l":[{"id":2,"t":"y","a":3},{"id":1,"t":"x,id=2","a":3}]})"};
  EXPECT_EQ(story.Result(), R"({"l":[{"id":1,"t":"x,id=2","a":2}]})");
  story.head = R"({"l":[{"id":5,"t":"n"},{"id":2,"t":"y","a":3},{"id":1,"t":"x,id=2","a":3}]})";
  EXPECT_EQ(story.Result(), R"({"l":[{"id":5,"t":"n"},{"id":1,"t":"x,id=2","a":2}]})");
  const Story removed{
      .rules = R"({"rules":[{"path":"$","rule":"keyed_list","key":"id","delete":"delete_wins"}]})",
      .base = R"([{"id":1,"a":1},{"id":2}])",
      .theirs = R"([{"id":1,"a":2},{"id":2}])",
      .ours = R"([{"id":2}])"};
  EXPECT_EQ(removed.Result(), R"([{"id":2},{"id":1,"a":2}])");
}

// Two names of which one holds the other can be read in Fibonacci's number of ways.
TEST(TakeBack, AnElementThatCanBeReadInManyWaysIsReadInFewSteps) {
  std::string id;
  for (int i = 0; i < 200; ++i) id += "p=1,";
  const std::string lost = absl::StrCat(R"({"id":")", id, R"(","a":)");
  const std::string trap = R"({"id":"q","id=\"p":1,"p":1,"p=1,p":1})";
  const Story story{.rules = R"({"rules":[{"path":"$","rule":"keyed_list","key":"id"}]})",
                    .base = absl::StrCat("[", trap, ",", lost, "1}]"),
                    .theirs = absl::StrCat("[", trap, ",", lost, "2}]"),
                    .ours = absl::StrCat("[", trap, ",", lost, "3}]")};
  EXPECT_EQ(story.Result(), story.theirs);
}

TEST(TakeBack, MovesOfElements) {
  const Story story{.rules = R"({"rules":[{"path":"$","rule":"keyed_list","key":"id"}]})",
                    .base = R"([{"id":1},{"id":2},{"id":3},{"id":4}])",
                    .theirs = R"([{"id":2},{"id":1},{"id":3},{"id":4}])",
                    .ours = R"([{"id":2},{"id":3},{"id":4},{"id":1}])"};
  EXPECT_EQ(story.Result(), story.theirs);
}

TEST(TakeBack, SetsAndTextsGoBackToTheirs) {
  const Story set{.rules = R"({"rules":[{"path":"$","rule":"set_union"}]})",
                  .base = "[1,2,3]",
                  .theirs = "[1,2,3,4]",
                  .ours = "[2,3,5]"};
  EXPECT_EQ(set.Result({""}), set.theirs);
  const Story text{.rules = R"({"rules":[{"path":"$","rule":"text"}]})",
                   .base = R"("the quick fox")",
                   .theirs = R"("the slow fox")",
                   .ours = R"("the lazy fox")"};
  EXPECT_EQ(text.Result(), text.theirs);
}

TEST(TakeBack, OfTextsOfWhichOneStandsTheOtherComesBack) {
  for (const char* wins : {"theirs", "ours"}) {
    const Story whole{
        .rules = absl::StrCat(R"({"rules":[{"path":"$","rule":"text","else":")", wins, R"("}]})"),
        .base = R"("the quick fox")",
        .theirs = R"("the slow fox")",
        .ours = R"("the lazy fox")"};
    EXPECT_EQ(whole.Result(), wins == std::string("theirs") ? whole.ours : whole.theirs);
  }
  const Story both{.rules = R"({"rules":[{"path":"$","rule":"text","else":"theirs"}]})",
                   .base = R"("the quick fox")",
                   .theirs = R"("the slow fox")",
                   .ours = R"("the lazy fox jumps")"};
  EXPECT_EQ(both.Result(), both.theirs) << "of both something stands: as if ours had not come";
}

TEST(TakeBack, ADocumentThatIsNotTheResolvedOneIsRefused) {
  const MergeResult resolved = Merge(Json("[1,2,3]"), Json("[1,4,3]"), Json("[1,5,3]")).value();
  const absl::Status status = TakeBack(resolved.decisions, {}, Json("[1]"), Json("[1]")).status();
  EXPECT_EQ(ReasonOf(status), Reason::kPreconditionFailed);
  EXPECT_EQ(ReasonOf(TakeBack(resolved.decisions, {}, Json("{}"), Json("{}")).status()),
            Reason::kPreconditionFailed);
  EXPECT_EQ(ReasonOf(TakeBack(resolved.decisions, {}, std::nullopt, Json("{}")).status()),
            Reason::kPreconditionFailed);
}

using Counts = std::map<std::string, int>;

// How often each leaf occurs, equal numbers counted as one.
void Count(const Value& value, int sign, Counts& counts) {
  if (value.is_object()) {
    for (const json::Member& member : value.object()) Count(member.value, sign, counts);
  } else if (value.is_array()) {
    for (const Value& element : value.array()) Count(element, sign, counts);
  } else {
    counts[std::to_string(HashOf(value))] += sign;
  }
}

MergeResult Resolved(const RuledCase& c, const RuleSet& set, Side later = Side::kOurs) {
  return Merge(c.base, c.theirs, c.ours, {.rules = &set, .later = later}).value();
}

TEST(TakeBackLaws, NothingDecidedBetweenTheSidesLeavesTheHead) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    const MergeResult resolved = Merge(c.base, c.theirs, c.base, {.rules = &set}).value();
    const auto back = TakeBack(resolved.decisions, {}, resolved.value, c.ours, {.rules = &set});
    return back.ok() && back->value == c.ours;
  });
}

TEST(TakeBackLaws, OnAnUntouchedHeadItIsTheDocumentWithTheLosersAndAsksNobody) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    const MergeResult resolved = Resolved(c, set);
    const auto losers = WithLosersBack(resolved.value, resolved.decisions, {});
    const auto back =
        TakeBack(resolved.decisions, {}, resolved.value, resolved.value, {.rules = &set});
    return losers.ok() && back.ok() && back->value == *losers && back->conflicts.empty() &&
           !back->overlapped;
  });
}

TEST(TakeBackLaws, WhereTimesDecidedItIsTheMergeWithTheOtherSideLater) {
  ExpectRuledLaw({.texts = false, .sequences = false}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    const MergeResult resolved = Resolved(c, set);
    for (const Decision& decision : resolved.decisions) {
      const bool by_time =
          decision.rule == RuleKind::kLastWriteWins || decision.rule == RuleKind::kFirstWrite;
      const bool moved =
          decision.kind == ConflictKind::kMoveMove || decision.kind == ConflictKind::kMoveDelete;
      if (moved || (!by_time && decision.kind != ConflictKind::kNone)) return true;
    }
    const MergeResult other = Resolved(c, set, Side::kTheirs);
    const auto losers = WithLosersBack(resolved.value, resolved.decisions, {});
    // What both added to a list stands in an order of its own.
    Counts leaves;
    if (*losers) Count(**losers, 1, leaves);
    if (other.value) Count(*other.value, -1, leaves);
    for (const auto& [leaf, count] : leaves) {
      if (count != 0) return false;
    }
    return losers->has_value() == other.value.has_value();
  });
}

TEST(TakeBackLaws, WhatTheHeadHoldsOtherwiseStands) {
  ExpectRuledLaw({.texts = false, .sequences = false}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    const MergeResult resolved = Resolved(c, set);
    if (!resolved.value) return true;
    Value head = *resolved.value;
    head.Set("state", "touched");
    const auto back = TakeBack(resolved.decisions, {}, resolved.value, head, {.rules = &set});
    return back.ok() && back->value && *back->value->Find("state") == Value("touched");
  });
}

}  // namespace
}  // namespace bdcsync::merge
