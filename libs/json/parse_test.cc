#include "libs/json/parse.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::HasSubstr;

std::string Nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Parse, CompactTextComesBackByteForByte) {
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "1.10",
                           "1e400",
                           "1E+2",
                           "-0.0e-0",
                           "9007199254740993",
                           "123456789012345678901234567890.000100",
                           "1e2147483647",
                           "\"\"",
                           "\"\xc3\xa9 \xf0\x9f\x98\x80\"",
                           "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\"",
                           "\"\x7f/\"",
                           "[]",
                           "{}",
                           "[[],{}]",
                           R"({"b":1,"a":[1,2.50,"x",null],"":{"c":{}}})"}) {
    const absl::StatusOr<Value> value = Parse(text);
    ASSERT_OK(value) << text;
    EXPECT_EQ(Serialize(*value), text);
  }
}

TEST(Parse, EscapesAndWhitespaceAreRead) {
  EXPECT_EQ(Parse(" { \"a\" : [ 1 , 2 ] }\r\n\t")->Find("a")->array().size(), 2u);
  EXPECT_EQ(Parse(R"("\u0041\u00e9\ud83d\ude00\/")")->string(), "A\xc3\xa9\xf0\x9f\x98\x80/");
  // Keys and long strings with escapes come in parts.
  const std::string filler(5000, 'y');
  const Value value = *Parse(absl::StrCat("{\"k\\n", filler, "\":\"v\\t", filler, "\"}"));
  EXPECT_EQ(value.Find("k\n" + filler)->string(), "v\t" + filler);
}

TEST(Parse, OfDuplicateKeysTheLastWins) {
  EXPECT_EQ(Serialize(*Parse(R"({"a":1,"b":2,"a":3})")), R"({"a":3,"b":2})");
}

TEST(Parse, RecordsWithTheKeysOfTheOneBeforeAreReadAsAnyOther) {
  for (const char* text :
       {R"([{"a":1,"b":2},{"a":3,"b":4},{"b":5,"a":6},{"a":7},{"a":8,"b":9,"c":0}])",
        R"([{"a":{"a":1,"b":2},"b":{"a":3}},{"a":{"b":4},"b":{"a":5,"b":6}}])",
        R"([{"a\"b":1},{"a\"b":2},{"a":3}])", R"([{"":1},{"":2},{}])"}) {
    EXPECT_EQ(Serialize(*Parse(text)), text);
  }
  EXPECT_EQ(Serialize(*Parse(R"([{"a":1,"b":2},{"a" :3,"b"  :4}])")),
            R"([{"a":1,"b":2},{"a":3,"b":4}])");
  EXPECT_EQ(Serialize(*Parse(R"([{"a":1,"b":2},{"a":3,"a":4},{"b":5,"b":6}])")),
            R"([{"a":1,"b":2},{"a":4},{"b":6}])");
  // The same bytes are no key where they are not escaped.
  EXPECT_THAT(Parse(R"([{"a\"b":1},{"a"b":2}])"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(Parse("[{\"a\\nb\":1},{\"a\nb\":2}]"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(Parse(R"([{"a":1},{"a")"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(Parse(R"([{"a":1},{"a)"), HasReason(Reason::kBadMessage));
}

TEST(Parse, RefusesWhatIsNotJson) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "tru",
                           "[1,]",
                           "{\"a\":1,}",
                           "[1 2]",
                           "{a:1}",
                           "{\"a\"}",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "NaN",
                           "Infinity",
                           "'a'",
                           "\"a",
                           "\"\t\"",
                           "\"\\x\"",
                           "[",
                           "]",
                           "{",
                           "1 2",
                           "[] []",
                           "// c\n1",
                           "/* c */ 1",
                           "\"\\u12\"",
                           "1e99999999999",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_THAT(Parse(text), HasReason(Reason::kBadMessage)) << text;
  }
  EXPECT_THAT(Parse(absl::string_view("[1]\0", 4)), HasReason(Reason::kBadMessage));
}

TEST(Parse, RefusesWhatIsNotUtf8) {
  const std::vector<std::string> bad = {"\x80",              // a lone continuation byte
                                        "\xc3",              // cut short
                                        "\xc0\xaf",          // overlong '/'
                                        "\xe0\x80\xaf",      // overlong, three bytes
                                        "\xf0\x80\x80\xaf",  // overlong, four bytes
                                        "\xed\xa0\x80",      // a surrogate, encoded
                                        "\xf4\x90\x80\x80",  // beyond U+10FFFF
                                        "\xff",
                                        "\\ud800",
                                        "\\ud800x",
                                        "\\udc00",
                                        "\\ud800\\u0041",
                                        "\\udc00\\ud800"};
  for (const std::string& text : bad) {
    EXPECT_THAT(Parse("\"" + text + "\""), HasReason(Reason::kBadMessage)) << text;
    EXPECT_THAT(Parse("{\"" + text + "\":1}"), HasReason(Reason::kBadMessage)) << text;
    EXPECT_THAT(Parse("\"long enough to be read by wide words " + text + " and more after it\""),
                HasReason(Reason::kBadMessage))
        << text;
  }
}

TEST(Parse, TheErrorNamesTheByte) {
  const absl::StatusOr<Value> value = Parse("[1,2,x]");
  EXPECT_THAT(std::string(value.status().message()), HasSubstr("at byte 5"));
}

TEST(Parse, DepthIsLimited) {
  const ParseLimits limits{.depth_max = 10};
  EXPECT_OK(Parse(Nested(10), limits));
  EXPECT_THAT(Parse(Nested(11), limits), HasReason(Reason::kTooDeep));
  EXPECT_OK(Parse("1", {.depth_max = 0}));
  EXPECT_THAT(Parse("[]", {.depth_max = 0}), HasReason(Reason::kTooDeep));
  EXPECT_OK(Parse(Nested(kDepthCeiling), {.depth_max = 1'000'000}));
  EXPECT_THAT(Parse(Nested(kDepthCeiling + 1), {.depth_max = 1'000'000}),
              HasReason(Reason::kTooDeep));
  EXPECT_THAT(Parse(std::string(1'000'000, '[')), HasReason(Reason::kTooDeep));
}

TEST(Parse, BytesAreLimited) {
  EXPECT_OK(Parse("[1,2]", {.bytes_max = 5}));
  EXPECT_THAT(Parse("[1,2]", {.bytes_max = 4}), HasReason(Reason::kTooLarge));
}

TEST(Parse, AFailedParseLeavesNothingForTheNext) {
  EXPECT_THAT(Parse(R"(["left", {"over": "part)"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(Parse(R"({"a\n)"), HasReason(Reason::kBadMessage));
  EXPECT_EQ(Serialize(*Parse(R"({"b":["c"]})")), R"({"b":["c"]})");
}

TEST(Serialize, PrettyTextIsForPeople) {
  EXPECT_EQ(SerializePretty(*Parse(R"({"a":[1,{"b":null}],"c":[],"d":{}})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": [],\n"
            "  \"d\": {}\n}");
}

TEST(Serialize, EveryByteIsQuotedAsItIsMeasured) {
  for (int c = 0; c < 256; ++c) {
    for (size_t before = 0; before < 18; ++before) {
      const std::string text = std::string(before, 'x') + static_cast<char>(c) + "tail";
      std::string quoted;
      AppendQuoted(text, quoted);
      ASSERT_EQ(quoted.size(), QuotedSize(text));
      if (c < 0x80) {
        ASSERT_EQ(Parse(quoted)->string(), text) << quoted;
      }
    }
  }
}

}  // namespace
}  // namespace bdcsync::json
