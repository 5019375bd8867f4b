// What a script can reach: all of it, by name, and nothing else. And that it always does the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/script/run_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(Sandbox, HasTheseNamesAndNoOthers) {
  const json::Value value = Json("1");
  const absl::StatusOr<std::string> names = TryWith(
      "local names = json.array()\n"
      "for name, value in pairs(_ENV) do\n"
      "  if type(value) == 'table' then\n"
      "    for inner in pairs(value) do names[#names + 1] = name .. '.' .. inner end\n"
      "  else names[#names + 1] = name end\n"
      "end return table.concat(names, ' ')",
      {&value, &value, &value, &value});
  ASSERT_OK(names);
  EXPECT_EQ(*names,
            "\"assert base error ipairs json.array json.equal json.null json.type"
            " math.abs math.ceil math.exp math.floor math.fmod math.huge math.log math.max"
            " math.maxinteger math.min math.mininteger math.modf math.pi math.sqrt math.tointeger"
            " math.type math.ult meta next ours pairs pcall select"
            " string.byte string.char string.find string.format string.gmatch string.gsub"
            " string.len string.lower string.match string.rep string.reverse string.sub"
            " string.upper table.concat table.insert table.pack table.remove table.sort"
            " table.unpack theirs tonumber tostring type"
            " utf8.char utf8.charpattern utf8.codepoint utf8.codes utf8.len utf8.offset\"");
}

TEST(Sandbox, HasNoWayToAMetatable) {
  EXPECT_EQ(Result("return {getmetatable == nil, setmetatable == nil, rawset == nil, "
                   "debug == nil, (''):len() == 0}"),
            "[true,true,true,true,true]");
  EXPECT_EQ(Result("return ('').__index == nil and json.array().__index == nil"), "true");
}

TEST(Sandbox, LoadsNoBytecode) {
  EXPECT_THAT(FailureOfRun("\x1bLua\x54"), Optional(Failure::kText));
  EXPECT_THAT(FailureOfRun(std::string("\x1bLua\x54\0\x19\x93\r\n\x1a\n", 12)),
              Optional(Failure::kText));
}

TEST(Sandbox, ShowsNoAddresses) {
  EXPECT_EQ(Result("return {tostring({}), tostring(pcall), tostring(json.null), "
                   "string.format('%s %s', {}, pcall), (pcall(string.format, '%p', {}))}"),
            R"(["table","function","null","table function",false])");
  EXPECT_THAT(Result("error(tostring({}))"), HasSubstr("script:1: table"));
}

TEST(Sandbox, CannotCloseOrCollect) {
  EXPECT_THAT(Result("local x <close> = {} return 1"), HasSubstr("non-closable"));
  EXPECT_EQ(Result("local x <close> = nil return 1"), "1");
}

TEST(Sandbox, GoesThroughTablesInOneOrder) {
  EXPECT_EQ(Result("local t = {b = 1, a = 2, [10] = 3, [2.5] = 4, [-1] = 5, [true] = 6,"
                   " [false] = 7, [1e300] = 8, [math.mininteger] = 9, [-1e300] = 10, aa = 11}\n"
                   "local out = {} for k in pairs(t) do out[#out + 1] = tostring(k) end\n"
                   "local key, more = next(t) while key ~= nil do more = tostring(key)\n"
                   "out[#out + 1] = more key = next(t, key) end return table.concat(out, ' ')"),
            "\"-1e+300 -9223372036854775808 -1 2.5 10 1e+300 a aa b false true"
            " -1e+300 -9223372036854775808 -1 2.5 10 1e+300 a aa b false true\"");
  EXPECT_THAT(Result("for k in pairs({[{}] = 1}) do end return 1"),
              HasSubstr("a table as a key has no order"));
}

TEST(Sandbox, GoesThroughATableThatChangesMeanwhile) {
  EXPECT_EQ(Result("local t, out = {a = 1, b = 2, c = 3}, {}\n"
                   "for k, v in pairs(t) do out[#out + 1] = k .. v t.b = nil t.d = 4 t[k] = 9 end\n"
                   "return out"),
            R"(["a1","c3"])");
}

TEST(Sandbox, SortsStably) {
  const std::string text =
      "local t = {} for i = 1, 1000 do t[i] = {key = i * 7919 % 10, at = i} end\n"
      "table.sort(t, function(a, b) return a.key < b.key end)\n"
      "for i = 2, 1000 do if t[i - 1].key > t[i].key or\n"
      "  (t[i - 1].key == t[i].key and t[i - 1].at > t[i].at) then return i end end return 'yes'";
  EXPECT_EQ(Result(text), "\"yes\"");
  // Comparisons that contradict themselves end, too.
  EXPECT_EQ(Result("local t = {} for i = 1, 300 do t[i] = i end\n"
                   "table.sort(t, function() return true end) return #t"),
            "300");
}

// A script that uses everything whose order or value could differ from state to state.
constexpr char kManyThings[] = R"(
  local out = {}
  local function add(...) out[#out + 1] = table.concat({...}, ',') end
  local words = {}
  for word in ('the quick brown fox jumps over the lazy dog and runs'):gmatch('%a+') do
    words[word] = (words[word] or 0) + #word
  end
  for k, v in pairs(words) do add(k, v) end
  local list = {}
  for i = 1, 300 do list[i] = tostring(i * 7919 % 301) end
  table.sort(list, function(a, b) return #a < #b end)
  add(table.unpack(list, 1, 50))
  add(tostring(add), tostring({}), string.format('%5.2f %s', math.sqrt(2), {}))
  local ok, message = pcall(function() return nil + {} end)
  add(message)
  ours.z, ours.y = theirs, out
  return ours
)";

TEST(Sandbox, DoesTheSameInAThousandStates) {
  const json::Value ours = Json(R"({"b": 1.10, "a": [1.1, {}, []], "c": null})");
  const json::Value theirs = Json(R"({"x": 1e400, "w": 9007199254740993})");
  const absl::StatusOr<std::string> first =
      TryWith(kManyThings, {.ours = &ours, .theirs = &theirs});
  ASSERT_OK(first);
  const absl::StatusOr<Script> script = Script::Compile(kManyThings);
  ASSERT_OK(script);
  for (int run = 0; run < 1000; ++run) {
    const auto result = script->Resolve({.ours = &ours, .theirs = &theirs});
    ASSERT_OK(result);
    ASSERT_EQ(json::Serialize(**result), *first);
  }
}

TEST(Sandbox, RunsOneScriptOnManyThreads) {
  const absl::StatusOr<Script> script = Script::Compile(
      "local sum = 0 for i = 1, ours do sum = sum + i end "
      "if theirs then while true do end end return sum");
  ASSERT_OK(script);
  std::vector<std::thread> threads;
  std::vector<int> wrong(8);
  for (size_t thread = 0; thread < wrong.size(); ++thread) {
    threads.emplace_back([&, thread] {
      for (int64_t run = 0; run < 100; ++run) {
        const int64_t n = static_cast<int64_t>(thread) * 100 + run;
        const json::Value ours(n);
        const json::Value endless(true);
        const bool fails = run % 50 == 7;
        const auto result = script->Resolve({.ours = &ours, .theirs = fails ? &endless : nullptr});
        const bool right = fails ? FailureOf(result.status()) == Failure::kInstructions
                                 : result.ok() && **result == json::Value(n * (n + 1) / 2);
        if (!right) ++wrong[thread];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
}

}  // namespace
}  // namespace bdcsync::script
