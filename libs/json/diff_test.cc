#include "libs/json/diff.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "libs/json/merge_patch.h"
#include "libs/json/parse.h"
#include "libs/json/patch.h"
#include "libs/json/pointer.h"
#include "libs/json/random_value.h"
#include "libs/json/sequence_match.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string DiffOf(absl::string_view from, absl::string_view to) {
  return Serialize(Diff(*Parse(from), *Parse(to)));
}

std::vector<std::string> Changed(absl::string_view from, absl::string_view to,
                                 size_t paths_max = 100) {
  return ChangedPaths(*Parse(from), *Parse(to), paths_max);
}

// The length of the longest common subsequence, the slow and obvious way.
size_t LcsLength(const Array& a, const Array& b) {
  std::vector<std::vector<size_t>> best(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) {
      best[i + 1][j + 1] = a[i] == b[j] ? best[i][j] + 1 : std::max(best[i][j + 1], best[i + 1][j]);
    }
  }
  return best[a.size()][b.size()];
}

// How many elements are matched; checks that the runs ascend and match what they say.
size_t CheckedLength(const Array& a, const Array& b, const std::vector<MatchedRun>& runs) {
  size_t length = 0;
  size_t a_next = 0;
  size_t b_next = 0;
  for (const MatchedRun& run : runs) {
    EXPECT_GE(run.a_begin, a_next);
    EXPECT_GE(run.b_begin, b_next);
    for (size_t i = 0; i < run.length; ++i) {
      EXPECT_EQ(a.at(run.a_begin + i), b.at(run.b_begin + i));
    }
    a_next = run.a_begin + run.length;
    b_next = run.b_begin + run.length;
    length += run.length;
  }
  return length;
}

TEST(Diff, SaysOnlyWhatChanged) {
  EXPECT_EQ(DiffOf(R"({"a":1})", R"({"a":1})"), "[]");
  EXPECT_EQ(DiffOf(R"({"a":1,"b":2})", R"({"b":2,"a":1})"), "[]");
  EXPECT_EQ(DiffOf(R"({"a":{"x":"a text of some length","y":2}})",
                   R"({"a":{"x":"a text of some length","y":3}})"),
            R"([{"op":"replace","path":"/a/y","value":3}])");
  EXPECT_EQ(DiffOf("1", "2"), R"([{"op":"replace","path":"","value":2}])");
  EXPECT_EQ(DiffOf(R"({"long enough not to be replaced":"as a whole when one goes","b":1})",
                   R"({"long enough not to be replaced":"as a whole when one goes","c":null})"),
            R"([{"op":"remove","path":"/b"},{"op":"add","path":"/c","value":null}])");
}

TEST(Diff, ADigitIsAChange) {
  EXPECT_EQ(DiffOf(R"({"price":1.1,"text":"some text that is the same here"})",
                   R"({"price":1.10,"text":"some text that is the same here"})"),
            R"([{"op":"replace","path":"/price","value":1.10}])");
}

TEST(Diff, AnElementInsertedIntoALongArrayIsOneOperation) {
  Array from, to;
  for (int i = 0; i < 20'000; ++i) from.push_back(absl::StrCat("line ", i));
  to = from;
  to.insert(to.begin() + 12'345, "new");
  EXPECT_EQ(Serialize(Diff(from, to)), R"([{"op":"add","path":"/12345","value":"new"}])");
}

TEST(Diff, AChangeInsideAnElementIsSaidInside) {
  const char* const from =
      R"([{"id":1,"name":"one and some text"},{"id":2,"name":"two and text"}])";
  const char* const to = R"([{"id":1,"name":"one and some text"},{"id":3,"name":"two and text"}])";
  EXPECT_EQ(DiffOf(from, to), R"([{"op":"replace","path":"/1/id","value":3}])");
}

TEST(Diff, APatchLongerThanTheValueBecomesAReplacement) {
  EXPECT_EQ(DiffOf(R"({"a":[1,2,3,4]})", R"({"a":[5,6]})"),
            R"([{"op":"replace","path":"/a","value":[5,6]}])");
}

TEST(Diff, WhatChangedInASmallObjectIsSaidMemberByMember) {
  EXPECT_EQ(DiffOf(R"({"a":1,"b":{"c":1}})", R"({"a":2,"b":{"c":2}})"),
            R"([{"op":"replace","path":"/a","value":2},{"op":"replace","path":"/b/c","value":2}])");
  EXPECT_EQ(DiffOf(R"({"a":1})", R"({"b":1})"),
            R"([{"op":"remove","path":"/a"},{"op":"add","path":"/b","value":1}])");
}

TEST(Diff, ALargeObjectWithNothingInCommonIsReplaced) {
  Value from, to;
  for (int i = 0; i < 50; ++i) {
    from.Set(absl::StrCat("old ", i), i);
    to.Set(absl::StrCat("new ", i), i);
  }
  const Value patch = Diff(from, to);
  ASSERT_EQ(patch.array().size(), 1u);
  EXPECT_EQ(*patch.array()[0].Find("op"), Value("replace"));
}

TEST(Diff, AppliedToTheFirstGivesTheSecondForRandomPairs) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    RandomValue random(seed);
    const Value from = random.Make(4);
    const Value to = seed % 4 == 0 ? random.Make(4) : random.Edit(from, 1 + random.Below(6), 4);
    const Value patch = Diff(from, to, {.matching_work_max = seed % 3 == 0 ? 20u : 1'000'000u});
    Value result = from;
    ASSERT_OK(ApplyPatch(result, patch)) << "seed " << seed;
    ASSERT_TRUE(Identical(result, to)) << "seed " << seed << "\n"
                                       << Serialize(from) << "\n"
                                       << Serialize(to) << "\n"
                                       << Serialize(patch);
    ASSERT_EQ(patch.array().empty(), Identical(from, to)) << "seed " << seed;
  }
}

TEST(Diff, ManyArraysTogetherTakeAsMuchWorkAsSomeOfThem) {
  // One element goes in front and one comes at the end, which some 60 steps find out. None is there
  // once, for those are matched without work.
  Array from, to;
  for (int i = 0; i < 50; ++i) from.push_back(absl::StrCat("an element of the list ", i % 25));
  to = Array(from.begin() + 1, from.end());
  to.push_back("new");
  constexpr size_t kArrays = 200;
  Object many_from, many_to;
  for (size_t i = 0; i < kArrays; ++i) {
    many_from.Set(absl::StrCat(i), from);
    many_to.Set(absl::StrCat(i), to);
  }
  const DiffLimits limits{.matching_work_max = 150};
  EXPECT_EQ(Diff(from, to, limits).array().size(), 2);
  size_t matched = 0;
  const Value patch = Diff(many_from, many_to, limits);
  for (const Value& operation : patch.array()) {
    matched += operation.Find("op")->string() == "remove" ? 1 : 0;
  }
  EXPECT_GE(matched, MatchingWork::kArraysMax);
  EXPECT_LE(matched, MatchingWork::kArraysMax * 3);
}

TEST(SequenceMatch, SaysWhatWorkItTook) {
  Array a(350, Value(0)), b(350, Value(1));
  size_t used = 1;
  MatchSequences(a, b, ElementEquality::kEqual, 1'000'000, &used);
  EXPECT_GT(used, 400'000u) << "nothing is equal: all paths are tried";
  EXPECT_LE(used, 1'000'001u);
  used = 0;
  b = a;
  b[100] = 1;
  MatchSequences(a, b, ElementEquality::kEqual, 1'000'000, &used);
  EXPECT_LT(used, 20u);
  used = 0;
  MatchSequences(a, a, ElementEquality::kEqual, 1'000'000, &used);
  EXPECT_EQ(used, 0u);
}

TEST(SequenceMatch, IsTheLongestForRandomArrays) {
  for (uint64_t seed = 0; seed < 5'000; ++seed) {
    RandomValue random(seed);
    Array a, b;
    for (size_t i = random.Below(12); i > 0; --i) a.push_back(random.Below(5));
    for (size_t i = random.Below(12); i > 0; --i) b.push_back(random.Below(5));
    const auto runs = MatchSequences(a, b, ElementEquality::kEqual, 1'000'000);
    ASSERT_EQ(CheckedLength(a, b, runs), LcsLength(a, b)) << "seed " << seed;
    size_t changed = 0;
    for (const ChangedRun& run : ChangesBetween(a, b, runs)) changed += run.a_end - run.a_begin;
    ASSERT_EQ(changed, a.size() - LcsLength(a, b)) << "seed " << seed;
  }
}

TEST(SequenceMatch, StaysRightWhenTheWorkRunsOut) {
  for (uint64_t seed = 0; seed < 5'000; ++seed) {
    RandomValue random(seed);
    Array a, b;
    for (size_t i = random.Below(30); i > 0; --i) a.push_back(random.Below(20));
    for (size_t i = random.Below(30); i > 0; --i) b.push_back(random.Below(20));
    const auto runs = MatchSequences(a, b, ElementEquality::kEqual, random.Below(60));
    ASSERT_LE(CheckedLength(a, b, runs), LcsLength(a, b)) << "seed " << seed;
  }
}

TEST(SequenceMatch, FindsAllThatStayedInALongArrayWithManyChanges) {
  RandomValue random(7);
  Array a;
  for (int i = 0; i < 20'000; ++i) a.push_back(i);
  Array b = a;
  for (int i = 0; i < 20'000; i += 4) b[static_cast<size_t>(i)] = absl::StrCat("changed ", i);
  const auto runs = MatchSequences(a, b, ElementEquality::kEqual, 1'000'000);
  EXPECT_EQ(CheckedLength(a, b, runs), 15'000u);
}

TEST(SequenceMatch, ChangesFarFromEachOtherInALongArrayTakeLinearWork) {
  RandomValue random(11);
  Array a;
  for (int i = 0; i < 50'000; ++i) a.push_back(i);
  Array b;
  size_t kept = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const bool changed = random.Below(100) == 0;
    if (!changed) b.push_back(a[i]);
    kept += changed ? 0 : 1;
    if (changed && random.Below(3) > 0) b.push_back(absl::StrCat("changed ", i));
  }
  const auto runs = MatchSequences(a, b, ElementEquality::kEqual, 4 * (a.size() + b.size()));
  EXPECT_EQ(CheckedLength(a, b, runs), kept);
}

TEST(SequenceMatch, StaysRightInLongArraysOfFewValues) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomValue random(seed);
    Array a;
    for (size_t i = 0; i < 1500; ++i) a.push_back(random.Below(60) / 59);
    Array b = a;
    for (size_t i = random.Below(20); i > 0; --i) {
      const size_t at = random.Below(b.size());
      if (random.Below(2) == 0) {
        Value::InsertInto(b, at, random.Below(2));
      } else {
        Value::ExtractFrom(b, at);
      }
    }
    const auto runs = MatchSequences(a, b, ElementEquality::kEqual, 1'000'000);
    const size_t matched = CheckedLength(a, b, runs);
    ASSERT_LE(matched, LcsLength(a, b)) << "seed " << seed;
    ASSERT_GE(matched + 200, LcsLength(a, b)) << "seed " << seed;
  }
}

TEST(SequenceMatch, NumbersMatchByValueOrByDigitsAsAsked) {
  const Array a = {*Value::FromNumberText("1")};
  const Array b = {*Value::FromNumberText("1.0")};
  EXPECT_EQ(MatchSequences(a, b, ElementEquality::kEqual, 100).size(), 1u);
  EXPECT_THAT(MatchSequences(a, b, ElementEquality::kIdentical, 100), IsEmpty());
}

// Elements of one hash are compared with each other, so many of them take quadratic work.
TEST(SequenceMatch, EqualNumbersOfOtherDigitsHaveOtherHashes) {
  std::set<uint64_t> hashes;
  std::set<uint64_t> identical;
  for (int i = 0; i < 1024; ++i) {
    Array digits;
    for (int bit = 0; bit < 10; ++bit) {
      digits.push_back(*Value::FromNumberText((i >> bit & 1) != 0 ? "1.0" : "1"));
    }
    const Value element = Object{{"a", Value(std::move(digits))}};
    hashes.insert(HashOf(element));
    identical.insert(HashOfIdentical(element));
  }
  EXPECT_EQ(hashes.size(), 1u);
  EXPECT_EQ(identical.size(), 1024u);
}

// These two had one hash, and so have all numbers made of them.
TEST(SequenceMatch, HashesOfNumbersDoNotCollideAsReckonedBeforehand) {
  const auto hash = [](const char* text) { return HashOf(*Value::FromNumberText(text)); };
  EXPECT_NE(hash("11213222111412411411411112"), hash("11111111513121133114115221"));
  EXPECT_EQ(hash("11213222111412411411411112"), hash("112132221114.12411411411112e14"));
  EXPECT_NE(hash("9999999999999999999"), hash("9999999999999999998"));
  EXPECT_NE(hash("0.5"), hash("-0.5"));
  EXPECT_NE(hash("5"), hash("50"));
}

TEST(ChangedPaths, NamesLeavesMembersAndElements) {
  EXPECT_THAT(Changed(R"({"a":1,"b":{"c":2}})", R"({"b":{"c":2},"a":1})"), IsEmpty());
  EXPECT_THAT(Changed(R"({"a":1,"b":{"c":2,"d":3},"x":0})", R"({"a":1,"b":{"c":4,"e":5},"x":[]})"),
              ElementsAre("/b/c", "/b/d", "/b/e", "/x"));
  EXPECT_THAT(Changed(R"({"l":[1,{"a":2},3]})", R"({"l":[1,{"a":4},3]})"), ElementsAre("/l/1"));
  EXPECT_THAT(Changed(R"({"l":[1,2]})", R"({"l":[1,2,3]})"), ElementsAre("/l"));
  EXPECT_THAT(Changed("[1]", "{}"), ElementsAre(""));
  EXPECT_THAT(Changed(R"({"a":null})", "{}"), ElementsAre("/a"));
}

TEST(ChangedPaths, AreCutToAncestorsAboveTheLimit) {
  const char* const from = R"({"a":{"b":1,"c":2},"d":3})";
  const char* const to = R"({"a":{"b":2,"c":3},"d":4})";
  EXPECT_THAT(Changed(from, to, 3), ElementsAre("/a/b", "/a/c", "/d"));
  EXPECT_THAT(Changed(from, to, 2), ElementsAre("/a", "/d"));
  EXPECT_THAT(Changed(from, to, 1), ElementsAre(""));
}

// Taking the listed places from one value into the other gives the other: nothing is left out.
TEST(ChangedPaths, LeaveNothingOutForRandomPairs) {
  for (uint64_t seed = 0; seed < 10'000; ++seed) {
    RandomValue random(seed);
    const Value from = random.Make(4);
    const Value to = random.Edit(from, 1 + random.Below(6), 4);
    Value result = from;
    for (const std::string& path : ChangedPaths(from, to, 1 + random.Below(8))) {
      const PointerTokens tokens = *ParsePointer(path);
      const Value* after = Resolve(to, tokens);
      if (tokens.empty()) {
        result = to;
      } else if (Value* parent = Resolve(result, absl::MakeSpan(tokens).first(tokens.size() - 1));
                 after == nullptr) {
        parent->object().Erase(tokens.back());
      } else if (parent->is_object()) {
        parent->Set(tokens.back(), *after);
      } else {
        parent->array().at(*ParseIndex(tokens.back())) = *after;
      }
    }
    ASSERT_TRUE(Identical(result, to)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bdcsync::json
