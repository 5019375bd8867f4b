#include "libs/json/value.h"

#include <string>
#include <utility>

#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::json {
namespace {

using ::bdcsync::testing::HasReason;

Value Json(absl::string_view text) {
  absl::StatusOr<Value> value = Parse(text);
  EXPECT_OK(value) << text;
  return value.ok() ? *std::move(value) : Value();
}

Object Numbered(int members) {
  Object object;
  for (int i = 0; i < members; ++i) object.Set("key" + std::to_string(i), i);
  return object;
}

TEST(Value, IsBuiltFromWhatCppHas) {
  Value value;
  value.Set("null", nullptr);
  value.Set("yes", true);
  value.Set("int", -5);
  value.Set("big", UINT64_MAX);
  value.Set("short", "abc");
  value.Set("long", std::string(100, 'x'));
  value.Set("list", Array{1, "two", Array{}});
  value.Set("object", Object{{"a", 1}, {"b", Object{}}});
  EXPECT_EQ(Serialize(value),
            "{\"null\":null,\"yes\":true,\"int\":-5,\"big\":18446744073709551615,\"short\":\"abc\","
            "\"long\":\"" +
                std::string(100, 'x') +
                "\",\"list\":[1,\"two\",[]],\"object\":{\"a\":1,\"b\":{}}}");
}

TEST(Value, CopiesAreDeepAndMovesLeaveNull) {
  Value original = Json(R"({"a":[1,{"b":"a string that lies on the heap"}]})");
  Value copy = original;
  copy.Find("a")->array()[1].Set("b", 2);
  EXPECT_EQ(Serialize(original), R"({"a":[1,{"b":"a string that lies on the heap"}]})");
  const Value moved = std::move(copy);
  EXPECT_TRUE(copy.is_null());  // NOLINT(bugprone-use-after-move): what a move leaves is promised.
  EXPECT_EQ(Serialize(moved), R"({"a":[1,{"b":2}]})");
}

TEST(Value, CanBeAssignedFromAPartOfItself) {
  Value value = Json(R"({"a":{"b":[1,2,3]}})");
  value = std::move(value.Find("a")->object()["b"]);
  EXPECT_EQ(Serialize(value), "[1,2,3]");
  value = value.array()[2];
  EXPECT_EQ(Serialize(value), "3");
}

TEST(Value, KeepsTextsOfEveryLengthAroundTheInlineSize) {
  for (size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'q');
    const Value value = text;
    Value copy = value;
    EXPECT_EQ(copy.string(), text);
    copy = Value(copy.string());
    EXPECT_EQ(copy, value);
    const std::string digits = "1" + std::string(size, '0');
    EXPECT_EQ(Value::FromNumberText(digits)->number_text(), digits);
  }
}

TEST(Value, NumbersAreEqualByExactDecimalValue) {
  const std::pair<const char*, const char*> equal[] = {
      {"1", "1.0"},
      {"1", "10e-1"},
      {"100", "1e2"},
      {"0", "-0.0e7"},
      {"0.5", "5E-1"},
      {"1.50", "15e-1"},
      {"1e400", "10e399"},
      {"-2", "-2.000"},
      {"1e1000000000", "0.1e1000000001"},
      {"123.456", "123456e-3"},
      {"0.00120", "12e-4"},
      {"9999999999999999999", "9.999999999999999999e18"},
      {"99999999999999999999", "9.9999999999999999999e19"}};
  for (const auto& [a, b] : equal) {
    EXPECT_EQ(Json(a), Json(b)) << a << " " << b;
    EXPECT_EQ(HashOf(Json(a)), HashOf(Json(b))) << a << " " << b;
    EXPECT_FALSE(Identical(Json(a), Json(b)));
  }
  const std::pair<const char*, const char*> different[] = {
      {"9007199254740993", "9007199254740992"}, {"1e400", "1e401"}, {"1", "-1"}, {"12", "1.2"},
      {"0.1", "0.10000000000000000000000001"},  {"1e-400", "0"},    {"10", "1"}, {"11", "1"}};
  for (const auto& [a, b] : different) EXPECT_FALSE(Json(a) == Json(b)) << a << " " << b;
}

TEST(Value, ObjectsAreEqualInAnyOrderOfMembersAndNullIsNotMissing) {
  EXPECT_EQ(Json(R"({"a":1,"b":[2,3]})"), Json(R"({"b":[2.0,3],"a":1})"));
  EXPECT_EQ(HashOf(Json(R"({"a":1,"b":[2,3]})")), HashOf(Json(R"({"b":[2.0,3],"a":1})")));
  EXPECT_FALSE(Json(R"({"a":null})") == Json("{}"));
  EXPECT_FALSE(Json(R"({"a":null})") == Json(R"({"b":null})"));
  EXPECT_FALSE(Json("[1,2]") == Json("[2,1]"));
  EXPECT_FALSE(Json("\"1\"") == Json("1"));
}

TEST(Value, IntegersAreReadFromEveryWayToWriteThem) {
  EXPECT_EQ(*Json("10").AsInt64(), 10);
  EXPECT_EQ(*Json("1.0").AsInt64(), 1);
  EXPECT_EQ(*Json("1e3").AsInt64(), 1000);
  EXPECT_EQ(*Json("-0").AsInt64(), 0);
  EXPECT_EQ(*Json("9223372036854775807").AsInt64(), INT64_MAX);
  EXPECT_EQ(*Json("-9223372036854775808").AsInt64(), INT64_MIN);
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "0.5", "1e19", "1e400",
                           "99999999999999999999999999", "\"1\"", "null"}) {
    EXPECT_THAT(Json(text).AsInt64(), HasReason(Reason::kInvalidArgument)) << text;
  }
}

TEST(Value, DoublesGoThereAndBack) {
  for (const double number : {0.0, 1.5, -0.1, 1e300, 5e-324, 1.0 / 3}) {
    EXPECT_EQ(*Value::FromDouble(number)->AsDouble(), number);
  }
  EXPECT_FALSE(Value::FromDouble(1.0 / 0.0).has_value());
  EXPECT_THAT(Json("1e400").AsDouble(), HasReason(Reason::kInvalidArgument));
  EXPECT_EQ(*Json("1e-400").AsDouble(), 0.0);
}

TEST(Value, NumberTextIsCheckedByTheGrammar) {
  for (const char* text : {"0", "-0", "10.50", "1e5", "1E+5", "1e-5", "0.0e0"}) {
    EXPECT_TRUE(Value::FromNumberText(text).has_value()) << text;
  }
  for (const char* text : {"", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "1 ", "NaN", "--1",
                           "1e1000000001", "1e-99999999999999999999"}) {
    EXPECT_FALSE(Value::FromNumberText(text).has_value()) << text;
  }
}

TEST(Value, MeasuresItsCompactTextAndDepth) {
  for (const char* text : {"null", "false", "\"a\\n\\u0001\\\"\"", "[]", "{}", "[1,[2,[3]],{}]",
                           R"({"a":{"b":[null,true]},"c\t":1.50})"}) {
    EXPECT_EQ(Measure(Json(text)).bytes, std::string(text).size()) << text;
  }
  EXPECT_EQ(Measure(Json("1")).depth, 0u);
  EXPECT_EQ(Measure(Json("[]")).depth, 1u);
  EXPECT_EQ(Measure(Json(R"([1,{"a":[]},2])")).depth, 3u);
}

TEST(Object, FindsMembersBelowAndAboveTheScanLimit) {
  for (const int size : {0, 1, 11, 12, 13, 14, 63, 64, 65, 5000}) {
    const Object object = Numbered(size);
    ASSERT_EQ(object.size(), static_cast<size_t>(size));
    for (int i = 0; i < size; ++i) {
      ASSERT_NE(object.Find("key" + std::to_string(i)), nullptr) << size;
      EXPECT_EQ(*object.PositionOf("key" + std::to_string(i)), static_cast<size_t>(i));
    }
    EXPECT_EQ(object.Find("key" + std::to_string(size)), nullptr);
  }
}

TEST(Object, KeepsOrderAndIndexThroughEraseAndInsert) {
  Object object = Numbered(300);
  for (int i = 0; i < 300; i += 2) EXPECT_TRUE(object.Erase("key" + std::to_string(i)));
  EXPECT_FALSE(object.Erase("key0"));
  for (int i = 0; i < 300; i += 2) {
    object.Insert(static_cast<size_t>(i), {"key" + std::to_string(i), i});
  }
  EXPECT_EQ(Serialize(object), Serialize(Numbered(300)));
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(*object.PositionOf("key" + std::to_string(i)), static_cast<size_t>(i));
  }
  for (int i = 299; i >= 0; --i) {
    const Member member = object.Extract(static_cast<size_t>(i) / 2);
    EXPECT_EQ(object.Find(member.key), nullptr);
    for (const Member& left : object) ASSERT_NE(object.Find(left.key), nullptr);
  }
}

TEST(Object, OfTwoMembersWithOneKeyTheLastCounts) {
  EXPECT_EQ(Serialize(Object{{"a", 1}, {"b", 2}, {"a", 3}}), R"({"a":3,"b":2})");
  std::vector<Member> members;
  members.reserve(100);
  for (int i = 0; i < 100; ++i) members.push_back({"key" + std::to_string(i % 50), i});
  const Object object(std::move(members));
  EXPECT_EQ(object.size(), 50u);
  EXPECT_EQ(*object.Find("key7"), Value(57));
}

}  // namespace
}  // namespace bdcsync::json
