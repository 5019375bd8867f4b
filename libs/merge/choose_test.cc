// Open places settled by choices.
#include "libs/merge/choose.h"

#include <string>
#include <utility>
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
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::optional<Value> Json(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return *json::Parse(text);
}

std::string Text(const std::optional<Value>& value) {
  return value ? json::Serialize(*value) : "-";
}

Choice PickAll(Pick pick) { return {.pick = pick}; }
Choice PickAt(Pick pick, std::vector<std::string> paths) {
  return {.pick = pick, .paths = std::move(paths)};
}
Choice ValueAt(absl::string_view value, std::vector<std::string> paths) {
  return {.pick = Pick::kValue, .value = Json(value), .paths = std::move(paths)};
}

std::vector<std::string> Paths(const std::vector<Decision>& decisions) {
  std::vector<std::string> paths;
  for (const Decision& decision : decisions) paths.push_back(decision.path);
  return paths;
}

// Three documents under a rule set.
struct Meeting {
  std::string rules = R"({"rules":[],"else":"ask"})";
  std::string base, theirs, ours;
  std::optional<Pick> fallback;

  absl::StatusOr<MergeResult> Choose(const std::vector<Choice>& choices) const {
    const RuleSet set = *ParseRuleSet(*json::Parse(rules));
    ChooseOptions options;
    options.merge.rules = &set;
    options.fallback = fallback;
    return merge::Choose(Json(base), Json(theirs), Json(ours), choices, options);
  }
  std::string Result(const std::vector<Choice>& choices) const {
    const absl::StatusOr<MergeResult> result = Choose(choices);
    EXPECT_OK(result);
    return result.ok() ? Text(result->value) : "";
  }
  std::string PathAtFault(const std::vector<Choice>& choices) const {
    const absl::Status status = Choose(choices).status();
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument) << status;
    return PathOf(status);
  }
};

const Meeting kTwoFields{.base = R"({"a":1,"b":1,"c":1})",
                         .theirs = R"({"a":2,"b":2,"c":1})",
                         .ours = R"({"a":3,"b":3,"c":3})"};

TEST(Choose, NothingChosenLeavesThePlacesOpen) {
  ASSERT_OK_AND_ASSIGN(const MergeResult result, kTwoFields.Choose({}));
  EXPECT_EQ(Text(result.value), R"({"a":2,"b":2,"c":3})");
  EXPECT_THAT(Paths(result.conflicts), ElementsAre("/a", "/b"));
}

TEST(Choose, ASideForEveryPlace) {
  EXPECT_EQ(kTwoFields.Result({PickAll(Pick::kBase)}), R"({"a":1,"b":1,"c":3})");
  EXPECT_EQ(kTwoFields.Result({PickAll(Pick::kTheirs)}), R"({"a":2,"b":2,"c":3})");
  EXPECT_EQ(kTwoFields.Result({PickAll(Pick::kOurs)}), R"({"a":3,"b":3,"c":3})");
  EXPECT_EQ(kTwoFields.Result({PickAll(Pick::kProposed)}), R"({"a":3,"b":3,"c":3})");
}

TEST(Choose, APlaceByItsPathAndTheOthersStayOpen) {
  ASSERT_OK_AND_ASSIGN(const MergeResult result, kTwoFields.Choose({PickAt(Pick::kOurs, {"/b"})}));
  EXPECT_EQ(Text(result.value), R"({"a":2,"b":3,"c":3})");
  EXPECT_THAT(Paths(result.conflicts), ElementsAre("/a"));
  const Decision& chosen = result.decisions.front();
  EXPECT_EQ(chosen.path, "/b");
  EXPECT_EQ(chosen.rule, RuleKind::kAsk);
  EXPECT_EQ(chosen.chosen, Side::kOurs);
  EXPECT_EQ(Text(chosen.theirs), "2") << "the value that lost";
}

TEST(Choose, LaterChoicesWin) {
  EXPECT_EQ(kTwoFields.Result({PickAll(Pick::kBase), PickAt(Pick::kOurs, {"/b"})}),
            R"({"a":1,"b":3,"c":3})");
  EXPECT_EQ(kTwoFields.Result({PickAt(Pick::kOurs, {"/b"}), PickAll(Pick::kBase)}),
            R"({"a":1,"b":1,"c":3})");
  EXPECT_EQ(kTwoFields.Result({PickAt(Pick::kOurs, {"/a", "/b"}), PickAt(Pick::kBase, {"/b"})}),
            R"({"a":3,"b":1,"c":3})");
}

TEST(Choose, AValueForAPlace) {
  ASSERT_OK_AND_ASSIGN(const MergeResult result,
                       kTwoFields.Choose({ValueAt("9", {"/a"}), ValueAt("-", {"/b"})}));
  EXPECT_EQ(Text(result.value), R"({"a":9,"c":3})");
  EXPECT_EQ(result.decisions[0].chosen, Side::kValue);
  EXPECT_EQ(Text(result.decisions[0].result), "9");
  EXPECT_EQ(Text(result.decisions[1].result), "-");
  EXPECT_THAT(result.conflicts, IsEmpty());
}

TEST(Choose, AValueForTheWholeDocument) {
  ASSERT_OK_AND_ASSIGN(const MergeResult result, kTwoFields.Choose({ValueAt("[7]", {})}));
  EXPECT_EQ(Text(result.value), "[7]");
  ASSERT_EQ(result.decisions.size(), 1u);
  EXPECT_EQ(result.decisions[0].path, "");
  EXPECT_EQ(Text(result.decisions[0].ours), kTwoFields.ours);
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_EQ(kTwoFields.Result({ValueAt("-", {})}), "-");
  EXPECT_EQ(kTwoFields.PathAtFault({ValueAt("1", {}), PickAt(Pick::kOurs, {"/a"})}), "");
}

TEST(Choose, APathThatIsNotOpenIsRefusedByName) {
  EXPECT_EQ(kTwoFields.PathAtFault({PickAt(Pick::kOurs, {"/a", "/c"})}), "/c");
  EXPECT_EQ(kTwoFields.PathAtFault({ValueAt("1", {"/x"})}), "/x");
  EXPECT_EQ(kTwoFields.PathAtFault({PickAt(Pick::kOurs, {""})}), "");
}

TEST(Choose, FallbacksAreTakenWhereNobodyHasChosen) {
  Meeting meeting = kTwoFields;
  meeting.rules =
      R"({"rules":[{"path":"$.a","rule":"ask","fallback":"base"}],"else":{"rule":"ask"}})";
  EXPECT_EQ(meeting.Result({}), R"({"a":2,"b":2,"c":3})");
  meeting.fallback = Pick::kOurs;
  EXPECT_EQ(meeting.Result({}), R"({"a":1,"b":3,"c":3})");
  EXPECT_EQ(meeting.Result({PickAt(Pick::kTheirs, {"/a"})}), R"({"a":2,"b":3,"c":3})");
}

TEST(Choose, ARemovalIsAValueThatDoesNotExist) {
  const std::string rules = R"({"rules":[],"else":"ask","delete":"else"})";
  const Meeting meeting{.rules = rules, .base = R"({"a":1})", .theirs = R"({"a":2})", .ours = "{}"};
  EXPECT_EQ(meeting.Result({}), R"({"a":2})");
  EXPECT_EQ(meeting.Result({PickAll(Pick::kOurs)}), "{}");
  EXPECT_EQ(meeting.Result({PickAll(Pick::kBase)}), R"({"a":1})");
  EXPECT_EQ(meeting.Result({ValueAt("5", {"/a"})}), R"({"a":5})");
  const Meeting removed{.rules = rules, .base = R"({"a":1})", .theirs = "{}", .ours = R"({"a":2})"};
  EXPECT_EQ(removed.Result({}), "{}");
  EXPECT_EQ(removed.Result({PickAll(Pick::kBase)}), R"({"a":1})");
  EXPECT_EQ(removed.Result({ValueAt("5", {"/a"})}), R"({"a":5})");
}

TEST(Choose, StretchesOfAList) {
  const Meeting one{.base = "[1,2,3]", .theirs = "[1,4,3]", .ours = "[1,5,6,3]"};
  EXPECT_EQ(one.Result({PickAll(Pick::kOurs)}), "[1,5,6,3]");
  EXPECT_EQ(one.Result({PickAll(Pick::kBase)}), "[1,2,3]");
  EXPECT_EQ(one.Result({ValueAt("[7,8]", {""})}), "[1,7,8,3]");
  EXPECT_EQ(one.PathAtFault({ValueAt("7", {""})}), "");
  const Meeting two{.base = "[1,2,3,4,5]", .theirs = "[0,2,3,4,6]", .ours = "[9,2,3,4,8]"};
  EXPECT_EQ(two.Result({PickAll(Pick::kOurs)}), "[9,2,3,4,8]");
  EXPECT_EQ(two.PathAtFault({ValueAt("[7]", {""})}), "");
}

TEST(Choose, ElementsOfAKeyedListByTheirKeys) {
  const Meeting meeting{
      .rules = R"({"rules":[{"path":"$.l","rule":"keyed_list","key":"id","else":"ask"}]})",
      .base = R"({"l":[{"id":1,"a":1},{"id":2,"a":1}]})",
      .theirs = R"({"l":[{"id":2,"a":2},{"id":1,"a":2}]})",
      .ours = R"({"l":[{"id":1,"a":3},{"id":2,"a":3}]})"};
  EXPECT_EQ(meeting.Result({PickAt(Pick::kOurs, {"/l/id=1/a"}), ValueAt("5", {"/l/id=2/a"})}),
            R"({"l":[{"id":2,"a":5},{"id":1,"a":3}]})");
}

TEST(Choose, AnElementHasOnePathHoweverItsKeyIsWritten) {
  for (const std::string id : {"1", "1.0", "10e-1", "0.1E1"}) {
    const Meeting meeting{.rules = R"({"rules":[{"path":"$","rule":"keyed_list","key":"id",)"
                                   R"("else":"ask"}]})",
                          .base = R"([{"id":1.0,"a":1}])",
                          .theirs = R"([{"a":2,"id":)" + id + "}]",
                          .ours = R"([{"id":1,"a":3}])"};
    EXPECT_EQ(meeting.Result({ValueAt("5", {"/id=1/a"})}), R"([{"a":5,"id":1}])") << id;
  }
}

TEST(Choose, PlacesOfElementsThatBothMoved) {
  const Meeting meeting{
      .rules = R"({"rules":[{"path":"$","rule":"keyed_list","key":"id","else":"ask"}]})",
      .base = R"([{"id":1},{"id":2},{"id":3},{"id":4}])",
      .theirs = R"([{"id":2},{"id":1},{"id":3},{"id":4}])",
      .ours = R"([{"id":2},{"id":3},{"id":4},{"id":1}])"};
  EXPECT_EQ(meeting.Result({}), meeting.theirs);
  EXPECT_EQ(meeting.Result({PickAt(Pick::kTheirs, {"/id=1"})}), meeting.theirs);
  EXPECT_EQ(meeting.Result({PickAt(Pick::kOurs, {"/id=1"})}), meeting.ours);
  EXPECT_EQ(meeting.Result({PickAt(Pick::kBase, {"/id=1"})}), meeting.base);
  EXPECT_EQ(meeting.PathAtFault({ValueAt("2", {"/id=1"})}), "/id=1");
}

TEST(Choose, ATextIsOpenAsAWhole) {
  const Meeting meeting{.rules = R"({"rules":[{"path":"$","rule":"text","else":"ask"}]})",
                        .base = R"("the quick fox")",
                        .theirs = R"("a slow fox")",
                        .ours = R"("the lazy fox jumps")"};
  EXPECT_EQ(meeting.Result({}), meeting.theirs);
  EXPECT_EQ(meeting.Result({PickAll(Pick::kOurs)}), R"("a lazy fox jumps")");
  EXPECT_EQ(meeting.Result({PickAll(Pick::kBase)}), meeting.base);
  EXPECT_EQ(meeting.Result({ValueAt(R"("x")", {""})}), R"("x")");
}

TEST(Choose, WhoChoseForATextIsToldByTheRule) {
  const Meeting meeting{.rules = R"({"rules":[{"path":"$","rule":"text","else":"ask"}]})",
                        .base = R"("the quick fox")",
                        .theirs = R"("the slow fox")",
                        .ours = R"("the lazy fox jumps")"};
  const auto decided = [&meeting](Pick pick) {
    const std::vector<Decision> decisions = meeting.Choose({PickAll(pick)})->decisions;
    EXPECT_EQ(decisions.size(), 1);
    return absl::StrCat(RuleName(decisions.at(0).rule), " ", SideName(*decisions[0].chosen));
  };
  EXPECT_EQ(decided(Pick::kOurs), "ask ours");
  EXPECT_EQ(decided(Pick::kTheirs), "ask merged") << "the rest of ours stands too";
  EXPECT_EQ(decided(Pick::kBase), "ask base");
  EXPECT_EQ(decided(Pick::kProposed), "text ours");
}

// The rule set with `side` for every `ask`.
Value Settled(const Value& rules, const char* side) {
  if (rules == Value("ask")) return side;
  Value settled = rules;
  if (rules.is_array()) {
    for (Value& rule : settled.array()) rule = Settled(rule, side);
  } else if (rules.is_object()) {
    for (size_t i = 0; i < rules.object().size(); ++i) {
      settled.object().value_at(i) = Settled(rules.object().at(i).value, side);
    }
  }
  return settled;
}

TEST(ChooseLaws, ASideEverywhereIsWhatTheRulesWouldSayWithItForAsk) {
  ExpectRuledLaw({.texts = false}, [](const RuledCase& c) {
    constexpr std::pair<Pick, const char*> kEqual[] = {
        {Pick::kOurs, "ours"}, {Pick::kTheirs, "theirs"}, {Pick::kProposed, "lww"}};
    const auto& [pick, rule] = kEqual[json::Serialize(c.rules).size() % 3];
    const RuleSet asking = *ParseRuleSet(c.rules);
    const RuleSet settled = *ParseRuleSet(Settled(c.rules, rule));
    ChooseOptions options;
    options.merge.rules = &asking;
    const Choice everywhere{.pick = pick};
    const MergeResult chosen = *Choose(c.base, c.theirs, c.ours, {everywhere}, options);
    const MergeResult expected = Merge(c.base, c.theirs, c.ours, {.rules = &settled}).value();
    return chosen.value == expected.value && chosen.conflicts.empty() &&
           chosen.decisions.size() == expected.decisions.size();
  });
}

TEST(ChooseLaws, PlacesChosenOneByOneComeToTheSameAsAllAtOnce) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    ChooseOptions options;
    options.merge.rules = &set;
    const MergeResult open = Merge(c.base, c.theirs, c.ours, options.merge).value();
    std::vector<Choice> choices;
    for (const Decision& place : open.conflicts) {
      choices.push_back({.pick = Pick::kOurs, .paths = {place.path}});
    }
    const MergeResult one_by_one = *Choose(c.base, c.theirs, c.ours, choices, options);
    const MergeResult at_once =
        *Choose(c.base, c.theirs, c.ours, {Choice{.pick = Pick::kOurs}}, options);
    return one_by_one.value == at_once.value && one_by_one.conflicts.empty();
  });
}

TEST(ChooseLaws, NothingChosenChangesNothing) {
  ExpectRuledLaw({}, [](const RuledCase& c) {
    const RuleSet set = *ParseRuleSet(c.rules);
    ChooseOptions options;
    options.merge.rules = &set;
    const MergeResult open = Merge(c.base, c.theirs, c.ours, options.merge).value();
    const MergeResult chosen = *Choose(c.base, c.theirs, c.ours, {}, options);
    return open.value == chosen.value && open.conflicts.size() == chosen.conflicts.size() &&
           open.decisions.size() == chosen.decisions.size();
  });
}

}  // namespace
}  // namespace bdcsync::merge
