// The rule `script`: from the rule set to the merged document.
#include "libs/rules/script_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/merge/three_way.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rules {
namespace {

using json::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::optional<Value> Json(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return *json::Parse(text);
}

std::string Text(const std::optional<Value>& value) {
  return value ? json::Serialize(*value) : "-";
}

class ScriptRules : public ::testing::Test {
 protected:
  merge::MergeResult Merge(const std::string& rules, absl::string_view base,
                           absl::string_view theirs, absl::string_view ours) {
    const LuaCompiler compiler(limits_);
    const absl::StatusOr<merge::RuleSet> set =
        merge::ParseRuleSet(*json::Parse(rules), {.scripts = &compiler});
    EXPECT_OK(set);
    Value meta;
    meta.Set("later", "ours");
    runs_.clear();
    ScriptEvaluator evaluator(
        meta, nullptr,
        {.on_run = [this](const absl::Status& run) { runs_.push_back(run.ok()); },
         .has_time = [this] { return has_time_; }});
    return merge::Merge(Json(base), Json(theirs), Json(ours),
                        {.rules = &*set, .evaluator = &evaluator})
        .value();
  }
  // One rule for the whole document.
  merge::MergeResult By(absl::string_view script, absl::string_view base, absl::string_view theirs,
                        absl::string_view ours, absl::string_view more = "") {
    Value text(script);
    return Merge(absl::StrCat(R"({"rules":[{"path":"$","rule":"script","script":)",
                              json::Serialize(text), more, "}]}"),
                 base, theirs, ours);
  }

  script::Limits limits_;
  std::vector<bool> runs_;
  bool has_time_ = true;
};

TEST_F(ScriptRules, AScriptDecidesWhatBothChanged) {
  const merge::MergeResult result = By("return ours + theirs - base", "10", "9", "7");
  EXPECT_EQ(Text(result.value), "6");
  ASSERT_EQ(result.decisions.size(), 1u);
  EXPECT_EQ(result.decisions[0].rule, merge::RuleKind::kScript);
  EXPECT_EQ(result.decisions[0].chosen, merge::Side::kValue);
  EXPECT_EQ(Text(result.decisions[0].result), "6");
  EXPECT_EQ(Text(result.decisions[0].theirs), "9");
  EXPECT_EQ(Text(result.decisions[0].ours), "7");
  EXPECT_THAT(runs_, ElementsAre(true));
}

TEST_F(ScriptRules, ASideThatItReturnsIsChosen) {
  EXPECT_EQ(By("return theirs", "1", "2", "3").decisions[0].chosen, merge::Side::kTheirs);
  EXPECT_EQ(By("return ours", "1", "2", "3").decisions[0].chosen, merge::Side::kOurs);
  const merge::MergeResult base = By("return base", "1", "2", "3");
  EXPECT_EQ(base.decisions[0].chosen, merge::Side::kBase);
  EXPECT_EQ(Text(base.value), "1");
  EXPECT_FALSE(base.decisions[0].result.has_value());
}

TEST_F(ScriptRules, ItIsNotAskedAboutWhatOneSideChanged) {
  EXPECT_EQ(Text(By("error('asked')", "1", "2", "1").value), "2");
  EXPECT_EQ(Text(By("error('asked')", "1", "2", "2").value), "2");
  EXPECT_THAT(runs_, IsEmpty());
}

TEST_F(ScriptRules, AFailingScriptLeavesItToTheElseWithANote) {
  const merge::MergeResult later = By("error('no')", "1", "2", "3");
  EXPECT_EQ(Text(later.value), "3");
  EXPECT_EQ(later.decisions[0].rule, merge::RuleKind::kLastWriteWins);
  ASSERT_EQ(later.notes.size(), 1u);
  EXPECT_THAT(later.notes[0].text, HasSubstr("script:1: no"));
  EXPECT_THAT(runs_, ElementsAre(false));
  EXPECT_EQ(Text(By("error('no')", "1", "2", "3", R"(,"else":"min")").value), "2");
  EXPECT_EQ(By("error('no')", "1", "2", "3", R"(,"else":"ask")").conflicts.size(), 1u);
}

TEST_F(ScriptRules, OneScriptMayBeTheElseOfAnother) {
  EXPECT_EQ(
      Text(By("error('no')", "1", "2", "3", R"(,"else":{"rule":"script","script":"return 7"})")
               .value),
      "7");
  EXPECT_THAT(runs_, ElementsAre(false, true));
}

TEST_F(ScriptRules, ItDecidesBetweenARemovalAndAChange) {
  EXPECT_EQ(Text(By("return ours", "1", "2", "-").value), "-");
  EXPECT_EQ(Text(By("return theirs", "1", "2", "-").value), "2");
  EXPECT_EQ(Text(By("return 9", "1", "-", "2").value), "9");
  EXPECT_EQ(Text(By("return nil", "1", "2", "3").value), "-");
}

TEST_F(ScriptRules, AScriptThatFailsOfARemovalNeverRemoves) {
  const merge::MergeResult result = By("return ours + theirs", "1", "2", "-");
  EXPECT_EQ(Text(result.value), "2");
  EXPECT_EQ(result.decisions[0].rule, merge::RuleKind::kEditWins);
  EXPECT_EQ(By("error()", "1", "2", "-", R"(,"else":"ask")").conflicts.size(), 1u);
  EXPECT_EQ(Text(By("error()", "1", "2", "-", R"(,"else":"ours")").value), "-");
  EXPECT_EQ(Text(By("return ours", "1", "2", "-", R"(,"delete":"edit_wins")").value), "2");
}

TEST_F(ScriptRules, AStretchOfAListTakesAList) {
  const std::string rules =
      R"({"rules":[{"path":"$","rule":"sequence","else":{"rule":"script","script":)";
  const merge::MergeResult both = Merge(
      rules + R"("for _, v in ipairs(ours) do theirs[#theirs + 1] = v end return theirs"}}]})",
      "[1,2,3]", "[1,4,3]", "[1,5,3]");
  EXPECT_EQ(Text(both.value), "[1,4,5,3]");
  EXPECT_EQ(Text(both.decisions[0].result), "[4,5]");
  const merge::MergeResult number =
      Merge(rules + R"("return 1"}}]})", "[1,2,3]", "[1,4,3]", "[1,5,3]");
  EXPECT_EQ(Text(number.value), "[1,5,3]");
  EXPECT_EQ(number.notes.size(), 1u);
  EXPECT_EQ(Text(Merge(rules + R"("return nil"}}]})", "[1,2,3]", "[1,4,3]", "[1,5,3]").value),
            "[1,3]");
}

TEST_F(ScriptRules, AScriptBehindTextIsAskedOnlyWhereTheTextsMeet) {
  const std::string rules =
      R"({"rules":[{"path":"$","rule":"text","else":{"rule":"script","script":"return 'x'"}}]})";
  EXPECT_EQ(Text(Merge(rules, R"("a b c")", R"("a b d")", R"("e b c")").value), R"("e b d")");
  EXPECT_THAT(runs_, IsEmpty());
  EXPECT_EQ(Text(Merge(rules, R"("a b c")", R"("a d c")", R"("a e c")").value), R"("x")");
}

TEST_F(ScriptRules, ItSeesWhereItIs) {
  const std::string rules = R"j({"rules":[{"path":"$.l","rule":"keyed_list","key":"id"},)j"
                            R"j({"path":"$.l[*].a","rule":"script","script":)j"
                            R"j("return meta.path..' '..meta.kind..' '..meta.later"}]})j";
  EXPECT_EQ(Text(Merge(rules, R"({"l":[{"id":1,"a":1}]})", R"({"l":[{"id":1,"a":2}]})",
                       R"({"l":[{"id":1,"a":3}]})")
                     .value),
            R"({"l":[{"id":1,"a":"/l/id=1/a edit_edit ours"}]})");
}

TEST_F(ScriptRules, NullEmptyListsAndLongNumbersSurvive) {
  EXPECT_EQ(Text(By("return {base, theirs, ours}", "null", "[]", "9007199254740993").value),
            "[null,[],9007199254740993]");
}

TEST_F(ScriptRules, OneThatRunsForeverIsEnded) {
  limits_.instructions_max = 10'000;
  const merge::MergeResult result = By("while true do end", "1", "2", "3");
  EXPECT_EQ(Text(result.value), "3");
  EXPECT_THAT(runs_, ElementsAre(false));
}

TEST_F(ScriptRules, WithoutTimeTheElseDecides) {
  has_time_ = false;
  EXPECT_EQ(Text(By("return theirs", "1", "2", "3").value), "3");
  EXPECT_THAT(runs_, ElementsAre(false));
}

TEST_F(ScriptRules, AMergeRunsSoManyScriptsAndNoMore) {
  std::string base = "{", theirs = "{", ours = "{";
  for (size_t i = 0; i <= kScriptRunsMax; ++i) {
    absl::StrAppend(&base, i == 0 ? "" : ",", "\"", i, "\":0");
    absl::StrAppend(&theirs, i == 0 ? "" : ",", "\"", i, "\":1");
    absl::StrAppend(&ours, i == 0 ? "" : ",", "\"", i, "\":2");
  }
  base += "}", theirs += "}", ours += "}";
  const merge::MergeResult result = Merge(
      R"({"rules":[{"path":"$.*","rule":"script","script":"return theirs"}]})", base, theirs, ours);
  EXPECT_EQ(runs_.size(), kScriptRunsMax);
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_EQ(result.notes[0].path, absl::StrCat("/", kScriptRunsMax));
  EXPECT_EQ(Text(*result.value->Find(absl::StrCat(kScriptRunsMax))), "2");
  const LuaCompiler compiler;
  const merge::RuleSet set = *merge::ParseRuleSet(
      *json::Parse(R"({"rules":[],"else":{"rule":"script","script":"return 7"}})"),
      {.scripts = &compiler});
  ScriptEvaluator evaluator(Value(), nullptr, {});
  for (size_t i = 0; i <= kScriptRunsMax; ++i) {  // Each merge counts anew.
    const merge::MergeResult next =
        merge::Merge(Json("1"), Json("2"), Json("3"), {.rules = &set, .evaluator = &evaluator})
            .value();
    ASSERT_EQ(Text(next.value), "7");
  }
}

TEST(ScriptCompiling, ErrorsNameThePlaceAndTheLine) {
  const LuaCompiler compiler;
  const auto parse = [&compiler](absl::string_view rules) {
    return merge::ParseRuleSet(*json::Parse(rules), {.scripts = &compiler}).status();
  };
  const absl::Status syntax =
      parse(R"({"rules":[{"path":"$.a","rule":"lww"},)"
            R"({"path":"$.b","rule":"script","script":"local x = 1\nreturn +"}]})");
  EXPECT_EQ(PathOf(syntax), "/rules/1/script");
  EXPECT_THAT(std::string(syntax.message()), HasSubstr("script:2:"));
  EXPECT_THAT(std::string(syntax.message()), HasSubstr("(rule for $.b)"));
  EXPECT_EQ(PathOf(parse(R"({"rules":[{"path":"$","rule":"script"}]})")), "/rules/0/script");
  EXPECT_EQ(PathOf(parse(
                R"({"rules":[{"path":"$","rule":"max","else":{"rule":"script","script":"("}}]})")),
            "/rules/0/else/script");
  EXPECT_EQ(PathOf(parse(R"({"rules":[],"else":{"rule":"script","script":7}})")), "/else/script");
}

TEST(ScriptCompiling, WithoutACompilerScriptsAreRefused) {
  const absl::Status refused =
      merge::ParseRuleSet(
          *json::Parse(R"({"rules":[{"path":"$","rule":"script","script":"return 1"}]})"))
          .status();
  EXPECT_EQ(PathOf(refused), "/rules/0/script");
}

}  // namespace
}  // namespace bdcsync::rules
