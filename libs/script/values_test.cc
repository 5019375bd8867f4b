// JSON goes through a script as it is; numbers mean in Lua what they mean in JSON.
#include "libs/script/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/json/random_value.h"
#include "libs/script/run_testing.h"
#include "libs/script/utf8.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

using ::testing::HasSubstr;

std::string ResultOf(absl::string_view text, absl::string_view ours, absl::string_view theirs) {
  const json::Value a = Json(ours);
  const json::Value b = Json(theirs);
  const absl::StatusOr<std::string> result = TryWith(text, {.ours = &a, .theirs = &b});
  return result.ok() ? *result : "error: " + std::string(result.status().message());
}

void ExpectUntouched(const Script& script, const json::Value& value) {
  const auto result = script.Resolve({.ours = &value});
  ASSERT_OK(result) << json::Serialize(value);
  ASSERT_TRUE(result->has_value());
  EXPECT_TRUE(json::Identical(**result, value))
      << json::Serialize(value) << " became " << json::Serialize(**result);
}

TEST(Values, ComeThroughAsTheyAre) {
  const absl::StatusOr<Script> script = Script::Compile("return ours");
  ASSERT_OK(script);
  for (const char* text : {"null",
                           "[]",
                           "{}",
                           "[[],{},[null,[]]]",
                           "{\"a\":null}",
                           "9007199254740993",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "9223372036854775808",
                           "18446744073709551617",
                           "0.10",
                           "1.0",
                           "1.00",
                           "-0",
                           "-0.0",
                           "1e2",
                           "1E+2",
                           "1e400",
                           "-1e-400",
                           "0.1234567890123456789",
                           "123456789012345678901234567890.5",
                           "[0.1,0.10,0.100,[0.10]]",
                           "{\"a\":1.0,\"b\":1.00,\"c\":1,\"d\":{\"a\":1.000}}",
                           "[1,1.0,\"1\",true,false]",
                           "\"\\u0000\\ud83d\\ude00\"",
                           "{\"\":{\"\\u0000\":0}}",
                           "{\"1\":1,\"2\":2}",
                           "9007199254740993.0",
                           "1e18",
                           "5e-324",
                           "1.7976931348623157e308"}) {
    ExpectUntouched(*script, Json(text));
  }
}

TEST(Values, ComeThroughAsTheyAreAtRandom) {
  const absl::StatusOr<Script> script = Script::Compile("return ours");
  ASSERT_OK(script);
  constexpr uint64_t kSeed = 20'261'126;
  SCOPED_TRACE(kSeed);
  json::RandomValue random(kSeed);
  for (int i = 0; i < 5000; ++i) {
    ExpectUntouched(*script, random.Make(4));
    if (::testing::Test::HasFailure()) return;
  }
}

// A script that takes everything apart and builds it again.
TEST(Values, CanBeBuiltAgainByTheScript) {
  const absl::StatusOr<Script> script = Script::Compile(
      "local function copy(v) if type(v) ~= 'table' then return v end\n"
      "local c = json.type(v) == 'array' and json.array() or {}\n"
      "for k, w in pairs(v) do c[k] = copy(w) end return c end return copy(ours)");
  ASSERT_OK(script);
  json::RandomValue random(77);
  for (int i = 0; i < 1000; ++i) {
    const json::Value value = random.Make(4);
    const auto result = script->Resolve({.ours = &value});
    ASSERT_OK(result);
    EXPECT_TRUE(**result == value) << json::Serialize(value);
  }
}

TEST(Values, NumbersAreLuasOwnWhereThoseAreExact) {
  EXPECT_EQ(ResultOf("return {ours + 1, ours == theirs, math.type(ours), math.type(theirs)}",
                     "9007199254740993", "9007199254740992.0"),
            R"([9007199254740994,false,"integer","float"])");
  EXPECT_EQ(ResultOf("return {ours == 0.1, ours + theirs, ours < theirs, ours}", "0.10", "0.25"),
            "[true,0.35,true,0.10]");
  EXPECT_EQ(ResultOf("return {10 / 2, 3 // 2, 2 ^ 53, 7.0, 1e15, 1e16}", "0", "0"),
            "[5,1,9007199254740992,7,1e+15,1e+16]");
}

TEST(Values, FloatsAreWrittenAsTheInputsWroteThem) {
  EXPECT_EQ(ResultOf("return {ours + 0.25}", "0.25", "0.50"), "[0.50]");
  // Where the inputs wrote one number in two ways: in its place as there, elsewhere as in the
  // first.
  EXPECT_EQ(
      ResultOf("theirs.b = ours.a return {theirs, theirs.a}", R"({"a": 0.10})", R"({"a": 0.1})"),
      R"([{"a":0.1,"b":0.10},0.10])");
  EXPECT_EQ(ResultOf("theirs.a = 0.2 return theirs", R"({"a": 0.10})", R"({"a": 0.1})"),
            R"({"a":0.2})");
}

TEST(Values, OtherNumbersAreExactAndRoundedOnRequest) {
  const char kBig[] = "123456789012345678901";
  EXPECT_EQ(
      ResultOf("return {type(ours), json.type(ours), tostring(ours), ours .. '!'}", kBig, "0"),
      R"(["exact number","number","123456789012345678901","123456789012345678901!"])");
  EXPECT_EQ(ResultOf("return {ours < theirs, ours <= theirs, ours > theirs, ours == theirs,"
                     " ours > 5, ours < 5.5, -1 < ours}",
                     kBig, "123456789012345678902"),
            "[true,true,false,false,true,false,true]");
  EXPECT_EQ(ResultOf("return {ours == theirs, ours <= theirs}", "1e400", "10e399"), "[true,true]");
  EXPECT_EQ(ResultOf("return {ours < theirs, theirs < ours}", "-1e400", "-1e401"), "[false,true]");
  EXPECT_EQ(ResultOf("return math.max(tonumber(ours), 1)", "0.12345678901234567890", "0"), "1");
  EXPECT_EQ(ResultOf("return tonumber(ours) == nil", "1e400", "0"), "true");
  for (const char* text :
       {"return ours + 1", "return 1 - ours", "return -ours", "return ours * ours",
        "return ours / 2", "return ours // 2", "return ours % 2", "return 2 ^ ours"}) {
    EXPECT_THAT(ResultOf(text, kBig, "0"), HasSubstr("round it with tonumber")) << text;
  }
  EXPECT_THAT(ResultOf("return ours < 'x'", kBig, "0"), HasSubstr("attempt to compare"));
  EXPECT_THAT(ResultOf("return ours < 1/0", kBig, "0"), HasSubstr("attempt to compare"));
}

TEST(Values, ArraysAndObjectsAreToldApartWhenEmpty) {
  EXPECT_EQ(
      ResultOf("table.remove(ours) theirs.a = nil return {ours, theirs}", "[1]", R"({"a":1})"),
      "[[],{}]");
  EXPECT_EQ(Result("return {{}, json.array(), json.array({}), json.array({7})}"), "[{},[],[],[7]]");
  EXPECT_EQ(Result("return {json.type({}), json.type({1}), json.type(json.array()),"
                   " json.type(json.null), json.type(1), json.type('x'), json.type(true),"
                   " json.type(nil) == nil}"),
            R"(["object","array","array","null","number","string","boolean",true])");
}

TEST(Values, AreComparedAsJson) {
  EXPECT_EQ(ResultOf("return {ours == theirs, json.equal(ours, theirs), json.equal(ours, 1),"
                     " json.equal(nil, nil), json.equal(nil, json.null)}",
                     R"({"a": [1, 0.10], "b": {}})", R"({"b": {}, "a": [1.0, 0.1]})"),
            "[false,true,false,true,false]");
  EXPECT_EQ(ResultOf("return {json.equal(ours, theirs), json.equal(ours, {})}", "[]", "{}"),
            "[false,false]");
  EXPECT_THAT(Result("return json.equal({pcall}, 1)"), HasSubstr("bad argument #1"));
}

TEST(Values, Utf8IsStrict) {
  for (const char* text : {"", "a", "\u00e9", "\u20ac", "\U0001F600", "\U0010FFFF"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2", "a\xf0\x9f\x98"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << text;
  }
}

}  // namespace
}  // namespace bdcsync::script
