// Lists whose elements are known by their keys.
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
using ::testing::HasSubstr;

constexpr absl::string_view kById = R"({"path":"$","rule":"keyed_list","key":"id"})";

MergeResult Merged(absl::string_view rules, const Value& base, const Value& theirs,
                   const Value& ours) {
  const RuleSet set = *ParseRuleSet(*Parse(absl::StrCat(R"({"rules":[)", rules, "]}")));
  return Merge(base, theirs, ours, {.rules = &set}).value();
}

// A list of elements that hold nothing but their ids, one letter each.
Value List(absl::string_view ids) {
  Value list = json::Array();
  for (const char id : ids) {
    Value element;
    element.Set("id", std::string(1, id));
    list.Append(std::move(element));
  }
  return list;
}

std::string Ids(const std::optional<Value>& list) {
  std::string ids;
  for (const Value& element : list->array()) absl::StrAppend(&ids, element.Find("id")->string());
  return ids;
}

std::string Order(absl::string_view base, absl::string_view theirs, absl::string_view ours) {
  return Ids(Merged(kById, List(base), List(theirs), List(ours)).value);
}

std::vector<std::string> Lines(const std::vector<Decision>& decisions) {
  std::vector<std::string> lines;
  for (const Decision& d : decisions) {
    lines.push_back(absl::StrCat(d.path, " ", ConflictKindName(d.kind), " ", RuleName(d.rule), " ",
                                 d.chosen ? SideName(*d.chosen) : "open"));
  }
  return lines;
}

TEST(KeyedList, ElementsMergeByKeyWhereverTheyStand) {
  const MergeResult result = Merged(kById, *Parse(R"([{"id":1,"a":1,"b":1},{"id":2}])"),
                                    *Parse(R"([{"id":2},{"id":1,"a":2,"b":1}])"),
                                    *Parse(R"([{"id":0},{"id":1,"a":1,"b":3},{"id":2}])"));
  EXPECT_EQ(Serialize(*result.value), R"([{"id":0},{"id":2},{"id":1,"a":2,"b":3}])");
  EXPECT_FALSE(result.overlapped);
}

TEST(KeyedList, RulesHoldInsideElements) {
  const MergeResult result =
      Merged(absl::StrCat(R"({"path":"$[*].n","rule":"counter"},)", kById),
             *Parse(R"([{"id":7,"n":1,"t":1}])"), *Parse(R"([{"id":7,"n":2,"t":2}])"),
             *Parse(R"([{"id":7,"n":5,"t":3}])"));
  EXPECT_EQ(Serialize(*result.value), R"([{"id":7,"n":6,"t":3}])");
  EXPECT_THAT(Lines(result.decisions),
              ElementsAre("/id=7/n none counter merged", "/id=7/t edit_edit lww ours"));
}

TEST(KeyedList, SeveralKeysNameAnElement) {
  const char* const rule = R"({"path":"$","rule":"keyed_list","key":["a","b"]})";
  const MergeResult result =
      Merged(rule, *Parse(R"([{"a":1,"b":"x","v":1},{"a":1,"b":"y","v":1}])"),
             *Parse(R"([{"a":1,"b":"x","v":2},{"a":1,"b":"y","v":1}])"),
             *Parse(R"([{"a":1.0,"b":"x","v":3},{"a":1,"b":"y","v":9}])"));
  EXPECT_THAT(Lines(result.decisions), ElementsAre("/a=1,b=\"x\"/v edit_edit lww ours",
                                                   "/a=1,b=\"y\"/v none three_way ours"));
}

TEST(KeyedList, OrderMergesThreeWay) {
  EXPECT_EQ(Order("abcd", "bacd", "abdc"), "badc");
  EXPECT_EQ(Order("abcd", "dabc", "abcd"), "dabc");
  EXPECT_EQ(Order("abc", "abcx", "yabc"), "yabcx");
  EXPECT_EQ(Order("abc", "axbc", "aybc"), "axybc");
  EXPECT_EQ(Order("abcde", "edcba", "abcde"), "edcba");
  EXPECT_EQ(Order("abcde", "ae", "acbde"), "ae");
  EXPECT_EQ(Order("", "ab", "cd"), "abcd");
}

TEST(KeyedList, AnElementThatBothMovedElsewhereIsContested) {
  const MergeResult contested = Merged(kById, List("abcde"), List("bcdea"), List("bcade"));
  EXPECT_EQ(Ids(contested.value), "bcade");
  EXPECT_THAT(Lines(contested.decisions), ElementsAre("/id=\"a\" move_move lww ours"));
  EXPECT_EQ(*contested.decisions[0].theirs, Value(4));
  const MergeResult open = Merged(R"({"path":"$","rule":"keyed_list","key":"id","else":"ask"})",
                                  List("abcde"), List("bcdea"), List("bcade"));
  EXPECT_EQ(Ids(open.value), "bcdea");
  EXPECT_THAT(Lines(open.conflicts), ElementsAre("/id=\"a\" move_move ask open"));
}

TEST(KeyedList, ARemovalWinsOverAMoveButNotOverAnEdit) {
  const MergeResult moved = Merged(kById, List("abcd"), List("bcda"), List("bcd"));
  EXPECT_EQ(Ids(moved.value), "bcd");
  EXPECT_THAT(Lines(moved.decisions), ElementsAre("/id=\"a\" move_delete delete_wins ours"));
  const MergeResult asked =
      Merged(R"({"path":"$","rule":"keyed_list","key":"id","else":"ask","delete":"else"})",
             List("abcd"), List("bcda"), List("bcd"));
  EXPECT_EQ(Ids(asked.value), "bcda");
  EXPECT_THAT(Lines(asked.conflicts), ElementsAre("/id=\"a\" move_delete ask open"));
  const MergeResult edited =
      Merged(kById, *Parse(R"([{"id":1}])"), *Parse(R"([{"id":1,"x":1}])"), *Parse("[]"));
  EXPECT_EQ(Serialize(*edited.value), R"([{"id":1,"x":1}])");
  EXPECT_THAT(Lines(edited.decisions), ElementsAre("/id=1 edit_delete edit_wins theirs"));
}

TEST(KeyedList, WithoutProperKeysItIsASequenceAndANoteSaysSo) {
  const struct {
    const char* ours;
    const char* problem;
  } kCases[] = {{R"([{"id":1},{"id":1}])", "two elements have one key: id=1"},
                {R"([{"id":1},{"name":1}])", "an element has no key \"id\""},
                {R"([{"id":1},5])", "an element is no object: number"},
                {R"([{"id":1},{"id":null}])", "a key is null: \"id\""}};
  for (const auto& [ours, problem] : kCases) {
    const MergeResult result =
        Merged(kById, *Parse(R"([{"id":1}])"), *Parse(R"([{"id":2},{"id":1}])"), *Parse(ours));
    ASSERT_EQ(result.notes.size(), 1u);
    EXPECT_THAT(result.notes[0].text, HasSubstr(problem));
    EXPECT_EQ(result.value->array().size(), 3u);
  }
}

}  // namespace
}  // namespace bdcsync::merge
