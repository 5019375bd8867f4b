#include "libs/merge/rule_set.h"

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using ::testing::HasSubstr;

RuleSet Rules(absl::string_view text) { return *ParseRuleSet(*json::Parse(text)); }

// The rule at a place: names of members, "*" for an element.
std::string At(const RuleSet& rules, const std::vector<std::string>& steps) {
  RuleSet::State state = rules.root();
  for (const std::string& step : steps) {
    state = step == "*" ? rules.Element(state) : rules.Member(state, step);
  }
  const Rule* rule = rules.RuleAt(state);
  return rule == nullptr ? "none" : std::string(RuleName(rule->kind));
}

absl::Status Refused(absl::string_view text) { return ParseRuleSet(*json::Parse(text)).status(); }

TEST(RuleSet, PatternsNameMembersElementsAndAnyDepth) {
  const RuleSet rules = Rules(R"({"rules":[
    {"path":"$.a.b","rule":"ours"}, {"path":"$['x y']","rule":"theirs"},
    {"path":"$.list[*].n","rule":"counter"}, {"path":"$.any.*","rule":"max"},
    {"path":"$..deep","rule":"min"}, {"path":"$.under..*","rule":"ask"},
    {"path":"$..['q\\'s'].r","rule":"lww"}]})");
  EXPECT_EQ(At(rules, {}), "none");
  EXPECT_EQ(At(rules, {"a"}), "none");
  EXPECT_EQ(At(rules, {"a", "b"}), "ours");
  EXPECT_EQ(At(rules, {"a", "b", "c"}), "none");
  EXPECT_EQ(At(rules, {"x y"}), "theirs");
  EXPECT_EQ(At(rules, {"list", "*", "n"}), "counter");
  EXPECT_EQ(At(rules, {"list", "m", "n"}), "counter");
  EXPECT_EQ(At(rules, {"any", "*"}), "max");
  EXPECT_EQ(At(rules, {"any", "z"}), "max");
  EXPECT_EQ(At(rules, {"deep"}), "min");
  EXPECT_EQ(At(rules, {"p", "*", "q", "deep"}), "min");
  EXPECT_EQ(At(rules, {"under"}), "none");
  EXPECT_EQ(At(rules, {"under", "x", "*", "y"}), "ask");
  EXPECT_EQ(At(rules, {"z", "q's", "r"}), "lww");
  EXPECT_EQ(At(Rules(R"({"rules":[{"path":"$","rule":"atomic"}]})"), {}), "atomic");
  EXPECT_EQ(At(RuleSet(), {"a"}), "none");
}

TEST(RuleSet, OfSeveralRulesForOnePlaceTheFirstCounts) {
  EXPECT_EQ(
      At(Rules(R"({"rules":[{"path":"$..a","rule":"max"},{"path":"$.a","rule":"min"}]})"), {"a"}),
      "max");
  EXPECT_EQ(
      At(Rules(R"({"rules":[{"path":"$.a","rule":"min"},{"path":"$.*","rule":"max"}]})"), {"a"}),
      "min");
}

TEST(RuleSet, TheOffendingPlaceIsNamed) {
  const struct {
    const char* rules;
    const char* path;
  } kCases[] = {
      {"7", ""},
      {"{}", "/rules"},
      {R"([{"path":"$.a","rule":"lww"},{"path":"$.b","rule":"none"}])", "/1/rule"},
      {R"([{"path":"$.a","rule":"max","else":"none"}])", "/0/else/rule"},
      {R"j([{"path":"$.a","rule":"keyed_list()"}])j", "/0/rule"},
      {R"j([{"path":"$.a","rule":"keyed_list)"}])j", "/0/rule"},
      {R"([{"path":"$.a","rule":"keyed_list(id"}])", "/0/rule"},
      {R"j([{"path":"$.a","rule":"keyed_list(id,)"}])j", "/0/rule"},
      {R"j([{"path":"$.a","rule":"keyed_list(id, id)"}])j", "/0/rule"},
      {R"j([{"path":"$.a","rule":"keyed_list(id)","key":"id"}])j", "/0/key"},
      {R"j([{"path":"$.a","rule":"counter(id)"}])j", "/0/rule"},
      {R"({"rules":[],"els":"lww"})", "/els"},
      {R"({"rules":[1]})", "/rules/0"},
      {R"({"rules":[{"rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"a","rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"$.a[0]","rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"$.a.","rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"$...a","rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"$['a","rule":"lww"}]})", "/rules/0/path"},
      {R"({"rules":[{"path":"$.a"}]})", "/rules/0/rule"},
      {R"({"rules":[{"path":"$.a","rule":"lww"},{"path":"$.b","rule":"edit_wins"}]})",
       "/rules/1/rule"},
      {R"({"rules":[{"path":"$.a","rule":"lww","else":"ask"}]})", "/rules/0/else"},
      {R"({"rules":[{"path":"$.a","rule":"max","key":"id"}]})", "/rules/0/key"},
      {R"({"rules":[{"path":"$.a","rule":"max","else":"sequence"}]})", "/rules/0/else/rule"},
      {R"({"rules":[{"path":"$.a","rule":"keyed_list"}]})", "/rules/0/key"},
      {R"({"rules":[{"path":"$.a","rule":"keyed_list","key":["a","a"]}]})", "/rules/0/key"},
      {R"({"rules":[{"path":"$.a","rule":"state_machine"}]})", "/rules/0/transitions"},
      {R"({"rules":[{"path":"$.a","rule":"state_machine","transitions":{"a":[1]}}]})",
       "/rules/0/transitions/a"},
      {R"({"rules":[],"delete":"maybe"})", "/delete"},
      {R"({"rules":[{"path":"$","rule":"remote"}]})", "/rules/0/resolver"},
      {R"({"rules":[{"path":"$","rule":"remote","resolver":""}]})", "/rules/0/resolver"},
      {R"({"rules":[{"path":"$","rule":"remote","resolver":"a","deadline":"1s"}]})",
       "/rules/0/deadline"},
      {R"({"rules":[{"path":"$","rule":"ask","else":"lww"}]})", "/rules/0/else"},
      {R"({"rules":[{"path":"$","rule":"ask","deadline":72}]})", "/rules/0/deadline"},
      {R"({"rules":[{"path":"$","rule":"ask","deadline":"72"}]})", "/rules/0/deadline"},
      {R"({"rules":[{"path":"$","rule":"ask","deadline":"999ms"}]})", "/rules/0/deadline"},
      {R"({"rules":[{"path":"$","rule":"ask","deadline":"8761h"}]})", "/rules/0/deadline"},
      {R"({"rules":[{"path":"$","rule":"ask","fallback":"value"}]})", "/rules/0/fallback"},
      {R"({"rules":[{"path":"$","rule":"ask","fallback":"later"}]})", "/rules/0/fallback"},
      {R"({"rules":[{"path":"$","rule":"ask","assign_to":""}]})", "/rules/0/assign_to"},
      {R"({"rules":[],"else":{"rule":"ask","assign_to":7}})", "/else/assign_to"},
  };
  for (const auto& [rules, path] : kCases) {
    const absl::Status refused = Refused(rules);
    EXPECT_EQ(ReasonOf(refused), Reason::kInvalidArgument) << rules;
    EXPECT_EQ(PathOf(refused), path) << rules;
  }
  EXPECT_THAT(std::string(Refused(kCases[20].rules).message()), HasSubstr("$.b"));
}

TEST(RuleSet, ABareListIsASetWithTheDefaultElse) {
  const RuleSet set = Rules(R"([{"path":"$.a","rule":"max"}])");
  EXPECT_EQ(At(set, {"a"}), "max");
  EXPECT_EQ(set.everywhere().otherwise, nullptr);
  EXPECT_EQ(At(Rules("[]"), {"a"}), At(RuleSet(), {"a"}));
}

TEST(RuleSet, KeysOfAListMayStandBehindItsName) {
  const auto keys = [](const std::string& rule) {
    const RuleSet set = Rules(absl::StrCat(R"([{"path":"$.a",)", rule, "}]"));
    return set.RuleAt(set.Member(set.root(), "a"))->keys;
  };
  EXPECT_EQ(keys(R"j("rule":"keyed_list(id)")j"), keys(R"("rule":"keyed_list","key":"id")"));
  EXPECT_EQ(keys(R"j("rule":"keyed_list(at, sensor)")j"),
            (std::vector<std::string>{"at", "sensor"}));
}

TEST(RuleSet, ArgumentsOfAskAreRead) {
  const RuleSet set = *ParseRuleSet(*json::Parse(
      R"({"rules":[{"path":"$.a","rule":"ask"},{"path":"$.b","rule":"max","else":)"
      R"({"rule":"ask","deadline":"1h30m","fallback":"theirs","assign_to":"ada"}}]})"));
  const Rule* const plain = set.RuleAt(set.Member(set.root(), "a"));
  EXPECT_EQ(plain->ask->deadline, std::nullopt);
  EXPECT_EQ(plain->ask->fallback, std::nullopt);
  EXPECT_EQ(plain->ask->assign_to, "");
  const AskArguments& ask = *set.RuleAt(set.Member(set.root(), "b"))->otherwise->ask;
  EXPECT_EQ(ask.deadline, absl::Minutes(90));
  EXPECT_EQ(ask.fallback, Pick::kTheirs);
  EXPECT_EQ(ask.assign_to, "ada");
}

TEST(RuleSet, KnowsTheProgramsThatItsRulesAsk) {
  const json::Value rules = *json::Parse(
      R"({"rules":[{"path":"$.a","rule":"remote","resolver":"stock","else":)"
      R"({"rule":"remote","resolver":"price"}},{"path":"$.b","rule":"remote","resolver":"stock"}],)"
      R"("else":{"rule":"remote","resolver":"all"}})");
  EXPECT_THAT(ParseRuleSet(rules)->resolvers(), ::testing::ElementsAre("all", "stock", "price"));
  const absl::flat_hash_set<std::string> known = {"stock", "all"};
  EXPECT_EQ(PathOf(ParseRuleSet(rules, {.resolvers = &known}).status()), "/rules/0/else/resolver");
}

TEST(RuleSet, HoldsAsManyRulesAsTheLimitAndNoMore) {
  const auto rules = [](size_t count) {
    json::Array list;
    for (size_t i = 0; i < count; ++i) {
      json::Value rule;
      rule.Set("path", absl::StrCat("$.a", i));
      rule.Set("rule", "lww");
      list.push_back(std::move(rule));
    }
    json::Value set;
    set.Set("rules", std::move(list));
    return ParseRuleSet(set).status();
  };
  EXPECT_OK(rules(RuleSet::kRulesMax));
  EXPECT_EQ(ReasonOf(rules(RuleSet::kRulesMax + 1)), Reason::kTooLarge);
}

TEST(RuleSet, PatternsThatMultiplyBeyondTheLimitAreRefused) {
  json::Array list;
  for (const char letter : std::string("abcdefgh")) {
    const std::string name(1, letter);
    json::Value rule;
    rule.Set("path", absl::StrCat("$..", name, "..", name, "..", name));
    rule.Set("rule", "lww");
    list.push_back(std::move(rule));
  }
  json::Value set;
  set.Set("rules", std::move(list));
  EXPECT_EQ(ReasonOf(ParseRuleSet(set).status()), Reason::kTooLarge);
}

TEST(RuleSet, WhatTakesLongToTellApartIsRefused) {
  const auto compiled = [](absl::string_view before, absl::string_view after) {
    json::Array list;
    for (size_t i = 0; i < RuleSet::kRulesMax; ++i) {
      json::Value rule;
      rule.Set("path", absl::StrCat("$", before, ".x", i, after));
      rule.Set("rule", "lww");
      list.push_back(std::move(rule));
    }
    json::Value set;
    set.Set("rules", std::move(list));
    return ParseRuleSet(set).status();
  };
  EXPECT_OK(compiled(".", ".y.z"));
  std::string anywhere;
  for (int i = 0; i < 40; ++i) absl::StrAppend(&anywhere, "..*");
  EXPECT_EQ(ReasonOf(compiled(anywhere, "")), Reason::kTooLarge);
}

TEST(RuleSet, TooManyNamesAreRefused) {
  json::Array list;
  for (size_t i = 0; i < 200; ++i) {
    std::string path = "$";
    for (size_t step = 0; step < 8; ++step) absl::StrAppend(&path, ".n", i, "_", step);
    json::Value rule;
    rule.Set("path", path);
    rule.Set("rule", "lww");
    list.push_back(std::move(rule));
  }
  json::Value set;
  set.Set("rules", list);
  EXPECT_EQ(ReasonOf(ParseRuleSet(set).status()), Reason::kTooLarge);
  list.resize(100);
  set.Set("rules", list);
  EXPECT_OK(ParseRuleSet(set).status());
}

TEST(PathPattern, LimitsHoldExactly) {
  const auto dots = [](size_t steps) {
    std::string text = "$";
    for (size_t i = 0; i < steps; ++i) text += ".a";
    return ParsePathPattern(text).status();
  };
  EXPECT_OK(dots(kPatternStepsMax));
  EXPECT_EQ(ReasonOf(dots(kPatternStepsMax + 1)), Reason::kInvalidArgument);
  const auto named = [](size_t bytes) {
    return ParsePathPattern("$." + std::string(bytes - 2, 'a')).status();
  };
  EXPECT_OK(named(kPatternBytesMax));
  EXPECT_EQ(ReasonOf(named(kPatternBytesMax + 1)), Reason::kInvalidArgument);
}

}  // namespace
}  // namespace bdcsync::merge
