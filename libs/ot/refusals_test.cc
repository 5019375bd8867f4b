// What is refused, with which code and which place; every limit at its edge and one beyond.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/ot/compose.h"
#include "libs/ot/delta_json.h"
#include "libs/ot/diff.h"
#include "libs/ot/invert.h"
#include "libs/ot/utf16.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::ot {
namespace {

using ::bdcsync::testing::HasReason;

absl::StatusOr<Delta> Parsed(absl::string_view text, const DeltaLimits& limits = {}) {
  const absl::StatusOr<json::Value> value = json::Parse(text);
  if (!value.ok()) return value.status();
  return ParseDelta(*value, limits);
}

struct Malformed {
  const char* text;
  const char* path;
};

TEST(Refusals, MalformedOperationsNameWhatIsWrong) {
  for (const Malformed& c : {
           Malformed{R"({"ops": []})", ""},
           {R"([5])", "/0"},
           {R"([{}])", "/0"},
           {R"([{"attributes": {"bold": true}}])", "/0"},
           {R"([{"insert": "a"}, {"retain": 0}])", "/1/retain"},
           {R"([{"retain": -1}])", "/0/retain"},
           {R"([{"retain": 1.5}])", "/0/retain"},
           {R"([{"retain": "1"}])", "/0/retain"},
           {R"([{"retain": {"image": {}}}])", "/0/retain"},
           {R"([{"delete": 0}])", "/0/delete"},
           {R"([{"delete": -3}])", "/0/delete"},
           {R"([{"delete": 1e30}])", "/0/delete"},
           {R"([{"delete": 1, "attributes": {"bold": true}}])", "/0/attributes"},
           {R"([{"insert": ""}])", "/0/insert"},
           {R"([{"insert": null}])", "/0/insert"},
           {R"([{"insert": 1}])", "/0/insert"},
           {R"([{"insert": {}}])", "/0/insert"},
           {R"([{"insert": "a", "attributes": "bold"}])", "/0/attributes"},
           {R"([{"insert": "a", "retain": 1}])", "/0/retain"},
           {R"([{"retain": 1, "bold": true}])", "/0/bold"},
       }) {
    const absl::StatusOr<Delta> result = Parsed(c.text);
    EXPECT_THAT(result, HasReason(Reason::kInvalidArgument)) << c.text;
    EXPECT_EQ(PathOf(result.status()), c.path) << c.text;
  }
}

TEST(Refusals, LoneSurrogatesAreNoTextInAnyForm) {
  EXPECT_THAT(Parsed(R"([{"insert": "\ud83d"}])"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(Parsed(R"([{"insert": "\ude00\ud83d"}])"), HasReason(Reason::kBadMessage));
  EXPECT_OK(Parsed(R"([{"insert": "\ud83d\ude00"}])").status());
  json::Value operation;
  operation.Set("insert", "a\xED\xA0\xBD");  // U+D83D alone, by a caller that does not parse.
  json::Value delta;
  delta.Append(operation);
  EXPECT_THAT(ParseDelta(delta), HasReason(Reason::kInvalidArgument));
}

TEST(Refusals, Utf8IsCheckedByteForByte) {
  for (const char* valid : {"", "a", "\u00DF", "\uD7FF", "\uE000", "\uFFFF", "\U00010000",
                            "\U0010FFFF", "12345678\u00DF"}) {
    EXPECT_TRUE(IsUtf8(valid)) << valid;
  }
  for (const char* invalid :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xE4\xB8", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "1234567\xE4\xB8", "12345678\xC3("}) {
    EXPECT_FALSE(IsUtf8(invalid)) << invalid;
  }
}

TEST(Refusals, LengthsMayNotCutSurrogatePairs) {
  const Delta emoji = Delta().InsertText("a\U0001F600b");
  for (const Delta& change :
       {Delta().Retain(2).InsertText("x"), Delta().Delete(2), Delta().Retain(1).Delete(1),
        Delta().Retain(2, Attributes(std::vector<json::Member>{{"bold", true}}))}) {
    EXPECT_THAT(Apply(emoji, change), HasReason(Reason::kInvalidArgument));
    EXPECT_THAT(Compose(emoji, change), HasReason(Reason::kInvalidArgument));
    EXPECT_THAT(Invert(change, emoji), HasReason(Reason::kInvalidArgument));
  }
  EXPECT_OK(Apply(emoji, Delta().Retain(1).Delete(2)).status());
}

TEST(Refusals, NothingReachesPastTheEnd) {
  const Delta document = Delta().InsertText("abc");
  EXPECT_OK(Apply(document, Delta().Retain(3).InsertText("d")).status());
  EXPECT_THAT(Apply(document, Delta().Retain(4).InsertText("d")),
              HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(Apply(document, Delta().Retain(3).Delete(1)), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(Invert(Delta().Delete(4), document), HasReason(Reason::kInvalidArgument));
}

TEST(Refusals, DocumentsOnlyInsert) {
  const Delta change = Delta().InsertText("a").Delete(1);
  EXPECT_THAT(ParseDocument(ToJson(change)), HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(PathOf(ParseDocument(ToJson(change)).status()), "/1");
  EXPECT_THAT(Diff(change, Delta()), HasReason(Reason::kInvalidArgument));
  EXPECT_THAT(Invert(Delta(), change), HasReason(Reason::kInvalidArgument));
}

TEST(Refusals, EveryLimitHoldsAtItsEdge) {
  DeltaLimits limits;
  limits.components_max = 2;
  EXPECT_OK(Parsed(R"([{"insert": "a"}, {"delete": 1}])", limits).status());
  EXPECT_THAT(Parsed(R"([{"insert": "a"}, {"delete": 1}, {"delete": 1}])", limits),
              HasReason(Reason::kTooLarge));
  limits = {};
  limits.text_bytes_max = 3;
  EXPECT_OK(Parsed(R"([{"insert": "a"}, {"insert": "bc"}])", limits).status());
  EXPECT_THAT(Parsed(R"([{"insert": "a"}, {"insert": "bcd"}])", limits),
              HasReason(Reason::kTooLarge));
  limits = {};
  limits.attributes_max = 1;
  EXPECT_OK(Parsed(R"([{"retain": 1, "attributes": {"a": 1}}])", limits).status());
  EXPECT_THAT(Parsed(R"([{"retain": 1, "attributes": {"a": 1, "b": 1}}])", limits),
              HasReason(Reason::kTooLarge));
  limits = {};
  limits.value_bytes_max = 10;
  EXPECT_OK(Parsed(R"([{"insert": {"abc": 12}}])", limits).status());
  EXPECT_THAT(Parsed(R"([{"insert": {"abc": 123}}])", limits), HasReason(Reason::kTooLarge));
  EXPECT_THAT(Parsed(R"([{"retain": 1, "attributes": {"abc": 123}}])", limits),
              HasReason(Reason::kTooLarge));
  limits = {};
  limits.length_max = 10;
  EXPECT_OK(Parsed(R"([{"retain": 4}, {"delete": 6}])", limits).status());
  EXPECT_THAT(Parsed(R"([{"retain": 4}, {"delete": 7}])", limits), HasReason(Reason::kTooLarge));
  EXPECT_THAT(Parsed(R"([{"retain": 9007199254740991}, {"delete": 1}])"),
              HasReason(Reason::kTooLarge));
}

TEST(Canonical, WhatDoesTheSameIsTheSame) {
  const auto canonical = [](absl::string_view text) {
    const absl::StatusOr<Delta> delta = Parsed(text);
    return delta.ok() ? json::Serialize(ToJson(*delta)) : delta.status().ToString();
  };
  EXPECT_EQ(canonical(R"([{"insert":"a"},{"insert":"b"},{"retain":2},{"retain":3}])"),
            R"([{"insert":"ab"}])");
  EXPECT_EQ(canonical(R"([{"delete":1},{"insert":"a"},{"delete":2},{"insert":"b"}])"),
            R"([{"insert":"ab"},{"delete":3}])");
  EXPECT_EQ(canonical(R"([{"retain":2},{"retain":1,"attributes":{"b":null,"a":1}},{"retain":7}])"),
            R"([{"retain":2},{"retain":1,"attributes":{"a":1,"b":null}}])");
  EXPECT_EQ(canonical(R"([{"insert":"a","attributes":{}},{"insert":"b","attributes":{"x":null}}])"),
            R"([{"insert":"ab"}])");
  EXPECT_EQ(canonical(R"([{"retain":1.0},{"delete":1e2}])"), R"([{"retain":1},{"delete":100}])");
}

}  // namespace
}  // namespace bdcsync::ot
