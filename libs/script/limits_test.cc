// Every limit, at its edge and beyond, and everything that has stopped other sandboxes.
#include "libs/script/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/script/run_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

using ::bdcsync::testing::HasReason;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(Limits, HaveRanges) {
  EXPECT_OK(CheckLimits({}));
  EXPECT_OK(CheckLimits({kScriptBytesCeiling, kInstructionsCeiling, kMemoryBytesCeiling,
                         kOutputBytesCeiling, json::kDepthCeiling}));
  EXPECT_OK(CheckLimits({1, 1, kMemoryBytesFloor, 1, 1}));
  const Limits kWrong[] = {{.script_bytes_max = 0},
                           {.script_bytes_max = kScriptBytesCeiling + 1},
                           {.instructions_max = 0},
                           {.instructions_max = kInstructionsCeiling + 1},
                           {.memory_bytes_max = kMemoryBytesFloor - 1},
                           {.memory_bytes_max = kMemoryBytesCeiling + 1},
                           {.output_bytes_max = 0},
                           {.output_bytes_max = kOutputBytesCeiling + 1},
                           {.depth_max = 0},
                           {.depth_max = json::kDepthCeiling + 1}};
  for (const Limits& limits : kWrong) {
    EXPECT_THAT(Script::Compile("return 1", limits), HasReason(Reason::kInvalidArgument));
  }
}

TEST(Limits, OfTheText) {
  const std::string text = "return 1";
  EXPECT_OK(Try(text, {.script_bytes_max = text.size()}));
  EXPECT_THAT(FailureOfRun(text, {.script_bytes_max = text.size() - 1}), Optional(Failure::kText));
}

TEST(Limits, OfTheOutputToTheByte) {
  const char* const kTexts[] = {"return {}", "return json.array()",
                                "return {1, 2.5, true, false, json.null, 'a\"\\n\\u{1F600}'}",
                                "return {a = 1, b = {c = {}, d = json.array()}}", "return 'plain'"};
  for (const char* text : kTexts) {
    const absl::StatusOr<std::string> whole = Try(text);
    ASSERT_OK(whole);
    EXPECT_OK(Try(text, {.output_bytes_max = whole->size()})) << text;
    const absl::Status status = Try(text, {.output_bytes_max = whole->size() - 1}).status();
    EXPECT_THAT(status, HasReason(Reason::kTooLarge)) << text;
    EXPECT_THAT(FailureOf(status), Optional(Failure::kOutput)) << text;
  }
}

TEST(Limits, OfTheOutputForATableThatIsSharedExponentially) {
  const char kText[] = "local t = {} for i = 1, 60 do t = {t, t} end return t";
  EXPECT_THAT(FailureOfRun(kText, {.instructions_max = 10'000'000}), Optional(Failure::kOutput));
}

TEST(Limits, OfDepth) {
  const char kText[] = "local t = 1 for i = 1, 64 do t = {t} end return t";
  EXPECT_OK(Try(kText, {.depth_max = 64}));
  const absl::Status status = Try(kText, {.depth_max = 63}).status();
  EXPECT_THAT(status, HasReason(Reason::kTooDeep));
  EXPECT_THAT(FailureOf(status), Optional(Failure::kOutput));
  EXPECT_THAT(Try("local t = {} t.t = t return t"), HasReason(Reason::kTooDeep));
  EXPECT_THAT(Result("local t = {} t[1] = t return json.equal(t, t)"), HasSubstr("holds itself"));
}

TEST(Limits, OfInstructions) {
  for (const char* text : {"while true do end", "::a:: goto a", "repeat until false",
                           "local function f() return f() end f()", "for i = 1, math.huge do end",
                           "for i = 1, math.maxinteger do end"}) {
    const absl::Status status = Try(text).status();
    EXPECT_THAT(status, HasReason(Reason::kQuotaExceeded)) << text;
    EXPECT_THAT(FailureOf(status), Optional(Failure::kInstructions)) << text;
  }
  EXPECT_OK(Try("for i = 1, 100000 do end return 1", {.instructions_max = 200'000}));
  EXPECT_THAT(FailureOfRun("for i = 1, 100000 do end return 1", {.instructions_max = 99'000}),
              Optional(Failure::kInstructions));
}

TEST(Limits, CannotBeCaught) {
  for (const char* text :
       {"while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end) return 'survived'",
        "local function f() pcall(f) while true do end end f()",
        "local ok = pcall(string.rep, 'x', 1 << 40) ok = pcall(string.gsub, ('a'):rep(1000),"
        " '.', function() while true do end end) return ok",
        "pcall(table.sort, {3, 2, 1}, function() while true do end end) return 'survived'",
        "pcall(pcall, pcall, function() while true do end end) return 'survived'"}) {
    EXPECT_THAT(FailureOfRun(text), Optional(Failure::kInstructions)) << text;
  }
  for (const char* text :
       {"pcall(function() local t = {} for i = 1, 1e9 do t[i] = i end end) return 'survived'",
        "pcall(string.rep, 'x', 100 << 20) return 'survived'",
        "local s = ('x'):rep(9 << 20) pcall(function() return s .. s end) return 'survived'",
        "local t = {} for i = 1, 40 do t[i] = ('x'):rep(300000) end pcall(table.concat, t) "
        "pcall(table.concat, t) return 'survived'"}) {
    EXPECT_THAT(FailureOfRun(text, {.instructions_max = kInstructionsCeiling}),
                Optional(Failure::kMemory))
        << text;
  }
}

TEST(Limits, OfMemory) {
  const json::Value large(std::string(1 << 20, 'x'));
  const absl::Status inputs =
      TryWith("return 1", {.ours = &large}, {.memory_bytes_max = 1 << 20}).status();
  EXPECT_THAT(inputs, HasReason(Reason::kQuotaExceeded));
  EXPECT_THAT(FailureOf(inputs), Optional(Failure::kMemory));
  EXPECT_OK(TryWith("return 1", {.ours = &large}, {.memory_bytes_max = (1 << 20) + (128 << 10)}));
  EXPECT_THAT(FailureOfRun("return ('x'):rep(20 << 20)"), Optional(Failure::kMemory));
  EXPECT_OK(Try("return 1", {.memory_bytes_max = kMemoryBytesFloor}));
}

// Garbage that is collected does not count.
TEST(Limits, OfMemoryAreForWhatIsHeld) {
  EXPECT_OK(Try("for i = 1, 1000 do local s = ('x'):rep(1000 + i) end return 1",
                {.memory_bytes_max = 256 << 10}));
}

TEST(Limits, OfRecursion) {
  EXPECT_THAT(Result("local function f(n) return 1 + f(n + 1) end return f(1)"),
              ::testing::AnyOf(HasSubstr("stack overflow"), HasSubstr("memory"),
                               HasSubstr("instructions")));
  EXPECT_THAT(Result("local function f() return (('a'):gsub('a', f)) end return f()"),
              HasSubstr("stack overflow"));
  EXPECT_THAT(
      Result("local function f(a, b) table.sort({2, 1}, f) return a < b end return f(1, 2)"),
      HasSubstr("stack overflow"));
  EXPECT_THAT(Result("local function f() local ok, e = pcall(f) return ok and e or 'deep' end "
                     "return f()"),
              HasSubstr("deep"));
}

TEST(Limits, OfNestingInTheText) {
  const std::string deep = "return " + std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_THAT(FailureOfRun(deep), Optional(Failure::kText));
  std::string tables = "return ";
  for (int i = 0; i < 5000; ++i) tables += "{";
  EXPECT_THAT(FailureOfRun(tables), Optional(Failure::kText));
}

// Each of these does much in few instructions of Lua's.
TEST(Limits, OfWhatOneInstructionCanDo) {
  for (const char* text :
       {// Patterns.
        "return ('a'):rep(50000):find(('a-'):rep(20) .. 'b')",
        "return ('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30))",
        "return ('x'):rep(100000):find('.-.-.-.-y')",
        "local s = ('('):rep(100000) for i = 1, 100 do s:find('%b()') end return 1",
        "return ('a'):rep(100000):gsub('[' .. ('b'):rep(900) .. ']', '')",
        // Long strings, compared, converted, copied.
        "local a, b = ('x'):rep(4 << 20), ('x'):rep(4 << 20) while a == b do end",
        "local a, b = ('x'):rep(4 << 20) .. 'a', ('x'):rep(4 << 20) .. 'b' while a < b do end",
        "local a, b = ('\\0'):rep(8000) .. 'a', ('\\0'):rep(8000) .. 'b' while a < b do end",
        "local a, b = string.char(0):rep(8000) .. 'a', string.char(0):rep(8000) .. 'b' "
        "while a < b do end",
        "local s = ('1'):rep(1 << 20) while true do tonumber(s) end",
        "local s = ('x'):rep(1 << 20) while true do s:upper() end",
        "local s = ('x'):rep(1 << 20) while true do s:byte(1, 100000) end",
        "local s = '' while true do s = s .. 'x' end",
        "local s = ('x'):rep(1 << 20) while true do utf8.len(s) end",
        "local s = ('x'):rep(1 << 20) while true do s:find('y', 1, true) end",
        // Tables.
        "local t = {} for i = 1, 100000 do t[i] = i end while true do table.insert(t, 1, 0) end",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do for k in pairs(t) do end end",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do next(t) end",
        "local t = {} for i = 1, 100000 do t[i] = i end while true do table.unpack(t) end",
        "local t = {} while true do table.unpack(t, 1, 100000) end",
        "while true do table.concat({}, ('x'):rep(1000), 1, 0) end",
        "local function f(...) while true do select(1, ...) end end f(('x'):rep(1e5):byte(1, -1))",
        "local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, 9, ...) end f()",
        // Keys that collide: multiples of the number of places, less one.
        "local t, m = {}, (1 << 16) - 1 for i = 1, 60000 do t[i * m * 65537] = 1 end "
        "while true do local x = t[0] end",
        "while true do pcall(error) end", "while true do json.equal({1, 2, 3}, {1, 2, 3}) end",
        "while true do string.format('%99.99f', 1e308) end"}) {
    EXPECT_THAT(FailureOfRun(text),
                ::testing::AnyOf(Optional(Failure::kInstructions), Optional(Failure::kMemory)))
        << text;
  }
}

TEST(Limits, OfPatterns) {
  EXPECT_THAT(Result("return ('x'):find(('x'):rep(1025) .. '.')"),
              HasSubstr("pattern longer than"));
  EXPECT_THAT(Result("return ('x'):find(('()'):rep(33))"), HasSubstr("too many captures"));
  EXPECT_THAT(Result("return ('x'):rep(500):find(('x?'):rep(300))"), HasSubstr("too complex"));
}

// What a script of a rule does must be possible within the defaults.
TEST(Limits, LeaveRoomForLargeDocuments) {
  const json::Value text(std::string(100'000, 'x'));
  EXPECT_OK(
      TryWith("local n = 0 for i = 1, 5000 do n = n + i end "
              "if #ours > #theirs then return ours end return theirs .. n",
              {.ours = &text, .theirs = &text}));
  json::Array list;
  for (int i = 0; i < 10'000; ++i) list.push_back(Json(absl::StrCat("{\"id\":", i, "}")));
  const json::Value array(std::move(list));
  EXPECT_OK(
      TryWith("local seen = {} for _, item in ipairs(ours) do seen[item.id] = true end "
              "for _, item in ipairs(theirs) do "
              "if not seen[item.id] then ours[#ours + 1] = item end end return ours",
              {.ours = &array, .theirs = &array}));
}

}  // namespace
}  // namespace bdcsync::script
