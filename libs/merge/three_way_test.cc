#include "libs/merge/three_way.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/parse.h"
#include "libs/json/sequence_match.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::merge {
namespace {

using json::Parse;
using json::Serialize;
using json::Value;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "-" is a document that does not exist.
std::optional<Value> Json(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return *Parse(text);
}

std::string Text(const std::optional<Value>& value) { return value ? Serialize(*value) : "-"; }

// With a rule set, "" for the defaults.
MergeResult Merged(absl::string_view base, absl::string_view theirs, absl::string_view ours,
                   absl::string_view rules = "", Side later = Side::kOurs) {
  const RuleSet set = rules.empty() ? RuleSet() : *ParseRuleSet(*Parse(rules));
  return Merge(Json(base), Json(theirs), Json(ours), {.rules = &set, .later = later}).value();
}

std::string MergedText(absl::string_view base, absl::string_view theirs, absl::string_view ours,
                       absl::string_view rules = "", Side later = Side::kOurs) {
  return Text(Merged(base, theirs, ours, rules, later).value);
}

constexpr absl::string_view kAskAbout = R"({"rules":[],"else":"ask"})";

// "path rule base theirs ours chosen" of each decision.
std::vector<std::string> Lines(const std::vector<Decision>& decisions) {
  std::vector<std::string> lines;
  for (const Decision& decision : decisions) {
    lines.push_back(decision.path + " " + std::string(RuleName(decision.rule)) + " " +
                    Text(decision.base) + " " + Text(decision.theirs) + " " + Text(decision.ours) +
                    " " + (decision.chosen ? std::string(SideName(*decision.chosen)) : "nobody"));
  }
  return lines;
}

std::vector<std::string> Decisions(const MergeResult& result) { return Lines(result.decisions); }

TEST(ThreeWayMerge, ChangesOfDifferentMembersAreBothKept) {
  const MergeResult result =
      Merged(R"({"a":1,"b":{"c":2,"d":3},"e":4})", R"({"a":9,"b":{"c":2,"d":3},"e":4,"x":[]})",
             R"({"a":1,"b":{"c":2,"d":8},"y":{}})");
  EXPECT_EQ(Text(result.value), R"({"a":9,"b":{"c":2,"d":8},"x":[],"y":{}})");
  EXPECT_FALSE(result.overlapped);
  EXPECT_THAT(Decisions(result),
              ElementsAre("/a three_way 1 9 1 theirs", "/b/d three_way 3 3 8 ours",
                          "/e three_way 4 4 - ours"));
}

TEST(ThreeWayMerge, OfTwoChangesOfOneLeafTheChosenSideWins) {
  const MergeResult ours = Merged(R"({"a":1})", R"({"a":2})", R"({"a":3})");
  EXPECT_EQ(Text(ours.value), R"({"a":3})");
  EXPECT_TRUE(ours.overlapped);
  EXPECT_THAT(Decisions(ours), ElementsAre("/a lww 1 2 3 ours"));
  const MergeResult theirs = Merged(R"({"a":1})", R"({"a":2})", R"({"a":3})", "", Side::kTheirs);
  EXPECT_EQ(Text(theirs.value), R"({"a":2})");
  EXPECT_THAT(Decisions(theirs), ElementsAre("/a lww 1 2 3 theirs"));
  const MergeResult open = Merged(R"({"a":1})", R"({"a":2})", R"({"a":3})", kAskAbout);
  EXPECT_EQ(Text(open.value), R"({"a":2})");
  EXPECT_TRUE(open.overlapped);
  EXPECT_THAT(Decisions(open), IsEmpty());
  EXPECT_THAT(Lines(open.conflicts), ElementsAre("/a ask 1 2 3 nobody"));
}

TEST(ThreeWayMerge, TheSameChangeOnBothSidesIsNoOverlap) {
  const MergeResult result =
      Merged(R"({"a":1,"b":[1,2]})", R"({"a":2.0,"b":[3],"c":{}})", R"({"a":2,"b":[3],"c":{}})");
  EXPECT_EQ(Text(result.value), R"({"a":2,"b":[3],"c":{}})");
  EXPECT_THAT(Decisions(result), IsEmpty());
}

TEST(ThreeWayMerge, MissingIsNotNull) {
  EXPECT_EQ(MergedText(R"({"a":1})", R"({"a":null})", R"({"a":1})"), R"({"a":null})");
  EXPECT_EQ(MergedText(R"({"a":null})", "{}", R"({"a":null})"), "{}");
  EXPECT_EQ(MergedText("{}", R"({"a":null})", "{}"), R"({"a":null})");
  EXPECT_EQ(MergedText("-", "null", "-"), "null");
  EXPECT_EQ(MergedText("null", "-", "null"), "-");
}

TEST(ThreeWayMerge, TheEditWinsOverADelete) {
  for (const absl::string_view rules : {absl::string_view(), kAskAbout}) {
    const MergeResult result =
        Merged(R"({"a":{"x":1,"y":2}})", "{}", R"({"a":{"x":1,"y":3}})", rules);
    EXPECT_EQ(Text(result.value), R"({"a":{"x":1,"y":3}})");
    EXPECT_TRUE(result.overlapped);
    EXPECT_THAT(Decisions(result),
                ElementsAre(R"(/a edit_wins {"x":1,"y":2} - {"x":1,"y":3} ours)"));
    EXPECT_EQ(MergedText("1", "2", "-", rules), "2");
    EXPECT_EQ(MergedText("[1,2,3]", "[1,3]", "[1,9,3]", rules), "[1,9,3]");
  }
  EXPECT_EQ(MergedText(R"({"a":1,"b":2})", R"({"b":2})", R"({"a":1})"), "{}");
  EXPECT_EQ(MergedText("1", "-", "-"), "-");
}

TEST(ThreeWayMerge, TwoNewObjectsUnderOneKeyAreMergedByMember) {
  EXPECT_EQ(MergedText("{}", R"({"o":{"a":1}})", R"({"o":{"b":2}})"), R"({"o":{"a":1,"b":2}})");
  EXPECT_EQ(MergedText("-", R"({"a":1,"c":1})", R"({"b":2,"c":2})"), R"({"a":1,"c":2,"b":2})");
  EXPECT_EQ(MergedText("7", R"({"a":1})", R"({"b":2})"), R"({"a":1,"b":2})");
}

TEST(ThreeWayMerge, ValuesOfDifferentKindsOverlapAsAWhole) {
  const MergeResult result = Merged(R"({"a":{"x":1}})", R"({"a":{"x":2}})", R"({"a":[1]})");
  EXPECT_EQ(Text(result.value), R"({"a":[1]})");
  EXPECT_THAT(Decisions(result), ElementsAre(R"(/a lww {"x":1} {"x":2} [1] ours)"));
}

TEST(ThreeWayMerge, DigitsOfANumberSurviveAndDoNotConflict) {
  EXPECT_EQ(MergedText(R"({"a":1.10})", R"({"a":1.1})", R"({"a":1.10,"b":9007199254740993})"),
            R"({"a":1.1,"b":9007199254740993})");
  EXPECT_FALSE(Merged(R"({"a":1})", R"({"a":1.0})", R"({"a":2})").overlapped);
  EXPECT_TRUE(Merged("9007199254740992", "9007199254740993", "9007199254740994").overlapped);
  EXPECT_EQ(MergedText("[1,2]", "[1.0,2]", "[1,2]"), "[1.0,2]");
}

TEST(ThreeWayMerge, ArraysMergeAsSequences) {
  EXPECT_EQ(MergedText("[1,2,3]", "[0,1,2,3]", "[1,2,3,4]"), "[0,1,2,3,4]");
  EXPECT_EQ(MergedText("[1,2,3,4]", "[1,3,4]", "[1,2,3,9]"), "[1,3,9]");
  EXPECT_EQ(MergedText("[1,2,3]", "[9,2,3]", "[1,8,3]"), "[9,8,3]");
  EXPECT_EQ(MergedText("[1,2,3]", "[5,1,2,3]", "[7,2,3]"), "[5,7,2,3]");
  EXPECT_EQ(MergedText("[1,2,3]", "[3]", "[1,2,3,[]]"), "[3,[]]");
  EXPECT_FALSE(Merged("[1,2,3]", "[9,2,3]", "[1,8,3]").overlapped);
}

TEST(ThreeWayMerge, AnOverlapInAnArrayIsARegion) {
  const MergeResult result = Merged("[0,1,2,3,4]", "[7,0,1,5,3,4]", "[0,1,6,6,3]");
  EXPECT_EQ(Text(result.value), "[7,0,1,6,6,3]");
  EXPECT_THAT(Decisions(result),
              ElementsAre(" lww [2] [5] [6,6] ours", " three_way [4] [4] [] ours"));
  const Region& region = *result.decisions[0].region;
  EXPECT_EQ(region.base_begin, 2u);
  EXPECT_EQ(region.theirs_begin, 3u);
  EXPECT_EQ(region.ours_begin, 2u);
  EXPECT_EQ(region.result_begin, 3u);
}

TEST(ThreeWayMerge, TwoInsertionsAtOnePlaceOverlap) {
  const MergeResult result = Merged(R"({"l":[1]})", R"({"l":[1,2]})", R"({"l":[1,3]})");
  EXPECT_EQ(Text(result.value), R"({"l":[1,3]})");
  EXPECT_THAT(Decisions(result), ElementsAre("/l lww [] [2] [3] ours"));
  EXPECT_EQ(MergedText("[1]", "[1,2]", "[1,2]"), "[1,2]");
}

TEST(ThreeWayMerge, KeysInPathsAreEscaped) {
  EXPECT_THAT(Decisions(Merged(R"({"a/b":{"~":1}})", R"({"a/b":{"~":2}})", R"({"a/b":{"~":3}})")),
              ElementsAre("/a~1b/~0 lww 1 2 3 ours"));
}

TEST(ThreeWayMerge, WhichSideIsLaterMayBeSaidPlaceByPlace) {
  MergeOptions options;
  std::vector<std::string> asked;
  options.later_at = [&asked](const std::string& path) {
    asked.push_back(path);
    return path == "/a" ? Side::kTheirs : Side::kOurs;
  };
  const auto merged = [&options](const char* theirs, const char* ours) {
    return Serialize(*Merge(*Parse(R"({"a":0,"b":0,"c":0})"), *Parse(theirs), *Parse(ours), options)
                          .value()
                          .value);
  };
  EXPECT_EQ(merged(R"({"a":1,"b":1,"c":1})", R"({"a":2,"b":2,"c":0})"), R"({"a":1,"b":2,"c":1})");
  EXPECT_EQ(asked, (std::vector<std::string>{"/a", "/b"})) << "only where times decide";
  const RuleSet first = *ParseRuleSet(*Parse(R"([{"path":"$.*","rule":"first_write"}])"));
  options.rules = &first;
  EXPECT_EQ(merged(R"({"a":1,"b":1,"c":0})", R"({"a":2,"b":2,"c":0})"), R"({"a":2,"b":1,"c":0})");
}

TEST(ThreeWay, ManyArraysTogetherTakeAsMuchWorkAsSomeOfThem) {
  // Ours has one element less in front and one more at the end, theirs another one in the middle.
  // No element is there once, for those are matched without work.
  json::Array base;
  for (int i = 0; i < 50; ++i) base.push_back(i % 25);
  json::Array ours(base.begin() + 1, base.end());
  ours.push_back("new");
  json::Array theirs = base;
  theirs[25] = "edited";
  json::Object many_base, many_theirs, many_ours;
  for (int i = 0; i < 200; ++i) {
    many_base.Set(absl::StrCat(i), base);
    many_theirs.Set(absl::StrCat(i), theirs);
    many_ours.Set(absl::StrCat(i), ours);
  }
  const MergeOptions options{.matching_work_max = 150};
  ASSERT_OK_AND_ASSIGN(const MergeResult one, Merge(base, theirs, ours, options));
  EXPECT_FALSE(one.overlapped);
  ASSERT_OK_AND_ASSIGN(const MergeResult many, Merge(many_base, many_theirs, many_ours, options));
  const auto overlaps = std::count_if(
      many.decisions.begin(), many.decisions.end(),
      [](const Decision& decision) { return decision.kind == ConflictKind::kRegion; });
  EXPECT_LE(overlaps, 200 - static_cast<int>(json::MatchingWork::kArraysMax));
  EXPECT_GE(overlaps, 200 - 3 * static_cast<int>(json::MatchingWork::kArraysMax));
}

TEST(ThreeWay, LinesAndWordsOfATextTakeTheirWorkOffThatOfTheDocument) {
  std::string base, theirs, ours;
  for (int i = 0; i < 200; ++i) {
    for (int word = 0; word < 50; ++word) {
      absl::StrAppend(&base, word % 25, " ");
      absl::StrAppend(&theirs, word == 25 ? "edited" : absl::StrCat(word % 25), " ");
      absl::StrAppend(&ours, word == 0 ? "" : absl::StrCat(word % 25, " "));
    }
    absl::StrAppend(&base, "\nline ", i, "\n");
    absl::StrAppend(&theirs, "\nline ", i, "\n");
    absl::StrAppend(&ours, "new\nline ", i, "\n");
  }
  json::MatchingWork work(100'000);
  const WordMerger merger(work);
  EXPECT_FALSE(merger.Merge(base, theirs, ours, Side::kOurs).overlapped);
  work.Use(SIZE_MAX);
  EXPECT_TRUE(merger.Merge(base, theirs, ours, Side::kOurs).overlapped) << "no work is left";
}

}  // namespace
}  // namespace bdcsync::merge
