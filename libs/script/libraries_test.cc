// Our libraries do what Lua's do: each expression is evaluated by both. The oracle is the packaged
// Lua with its own libraries.
#include "libs/script/libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/script/run_testing.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::script {
namespace {

// Turns all values of an expression into one text, or says that it fails.
constexpr char kShow[] =
    "local function show(ok, ...) if not ok then return 'fails' end local out = {}\n"
    "for i = 1, select('#', ...) do local v = select(i, ...)\n"
    "out[i] = type(v) == 'table' and table.concat(v, ';') or tostring(v) end\n"
    "return table.concat(out, '|') end\n"
    "return show(pcall(function() return ";

std::string WithStockLua(const std::string& expression) {
  const std::unique_ptr<lua_State, void (*)(lua_State*)> lua(luaL_newstate(), lua_close);
  luaL_openlibs(lua.get());
  const std::string text = absl::StrCat(kShow, expression, " end))");
  if (luaL_loadbufferx(lua.get(), text.data(), text.size(), "=script", "t") != LUA_OK ||
      lua_pcall(lua.get(), 0, 1, 0) != LUA_OK) {
    return absl::StrCat("error: ", lua_tostring(lua.get(), -1));
  }
  size_t bytes = 0;
  const char* const data = lua_tolstring(lua.get(), -1, &bytes);
  return std::string(data, bytes);
}

std::string WithOurs(const std::string& expression) {
  const absl::StatusOr<Script> script = Script::Compile(absl::StrCat(kShow, expression, " end))"));
  if (!script.ok()) return absl::StrCat("error: ", std::string(script.status().message()));
  const auto result = script->Resolve({});
  if (!result.ok()) return absl::StrCat("error: ", std::string(result.status().message()));
  return std::string((*result)->string());
}

constexpr const char* kExpressions[] = {
    "('hello'):byte()",
    "('hello'):byte(2)",
    "('hello'):byte(-3, -1)",
    "('hello'):byte(0)",
    "('hello'):byte(10)",
    "('hello'):byte(-100, 100)",
    "('hello'):byte(3, 2)",
    "string.char(104, 105)",
    "string.char()",
    "string.char(256)",
    "string.char(-1)",
    "#string.char(0, 0)",
    "('abc'):len()",
    "('aBc'):upper()",
    "('aBc'):lower()",
    "('abc'):reverse()",
    "('ab'):rep(3)",
    "('ab'):rep(3, '-')",
    "('ab'):rep(0)",
    "('ab'):rep(-1)",
    "(''):rep(1000)",
    "('ab'):rep(1)",
    "('x'):rep(1, 'long')",
    "('hello'):sub(2)",
    "('hello'):sub(2, 3)",
    "('hello'):sub(-3)",
    "('hello'):sub(-3, -2)",
    "('hello'):sub(0)",
    "('hello'):sub(4, 2)",
    "('hello'):sub(-100, 100)",
    "('hello'):sub(1, -100)",
    "('hello'):sub()",
    "('hello'):sub(math.mininteger, math.maxinteger)",
    "(5):len()",
    "string.len(12345)",
    "string.len({})",
    "('hello'):find('l')",
    "('hello'):find('xyz')",
    "('hello'):find('')",
    "('hello'):find('', 6)",
    "('hello'):find('', 7)",
    "('hello'):find('l', -2)",
    "('a.b'):find('.', 1, true)",
    "('a.b'):find('%.')",
    "('hello'):find('(l)(.)')",
    "('hello'):match('^h(.*)o$')",
    "('hello'):match('()ll()')",
    "('hello'):match('x')",
    "('key = value'):match('^(%w+)%s*=%s*(%w+)$')",
    "('[[x]]'):match('%[%[(.-)%]%]')",
    "('f(a(b)c)d'):match('%b()')",
    "('THE (quick) fox'):find('%f[%a]%a+%f[%A]')",
    "('abab'):match('(ab)%1')",
    "('abc'):match('(a')",
    "('abc'):match('a)')",
    "('abc'):match('[a')",
    "('abc'):match('%')",
    "('abc'):match('[%')",
    "('abc'):match('%1')",
    "('abc'):match('%f')",
    "('abc'):match('%b')",
    "('abc'):match('%bx')",
    "('a-b'):match('[a-]+')",
    "('a]b'):match('[]]')",
    "('a^b'):match('[b^]')",
    "('abc'):match('[^b]+')",
    "('abc'):match('[%a-z]+')",
    "('$5'):match('$%d')",
    "('hello world'):gsub('o', '0')",
    "('hello'):gsub('', '-')",
    "('hello'):gsub('l', {l = 'L'})",
    "('hello'):gsub('.', {h = 1, e = false})",
    "('hello'):gsub('l', string.upper)",
    "('hello'):gsub('(l)(l)', '%2%1%0%%')",
    "('hello'):gsub('l', '%9')",
    "('hello'):gsub('l', '%')",
    "('hello'):gsub('l', '%x')",
    "('hello'):gsub('l', 'x', 1)",
    "('hello'):gsub('l', 'x', 0)",
    "('hello'):gsub('^h', 'x')",
    "('hello'):gsub('()', '%1')",
    "('hello'):gsub('l', function() return {} end)",
    "('hello'):gsub('l', nil)",
    "('abc'):gsub('%w', '%0%0')",
    "('abc def'):gsub('%f[%w]%w+', '<%0>')",
    "('x'):gsub('x', 5)",
    "(function() local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') "
    "do t[#t + 1] = k .. v end return t end)()",
    "(function() local t = {} for p in ('abc'):gmatch('()') do t[#t + 1] = p end return t "
    "end)()",
    "(function() local t = {} for p in ('abcd'):gmatch('.', 3) do t[#t + 1] = p end return t "
    "end)()",
    "('%d items'):format(5)",
    "('%5d|%-5d|%05d|%+d'):format(5, 5, 5, 5)",
    "('%x %X %o'):format(255, 255, 8)",
    "('%.2f %e %g'):format(3.14159, 12345.678, 0.0001)",
    "('%s %s %s'):format(1, true, nil)",
    "('%10s|%-10s|%.2s'):format('abc', 'abc', 'abc')",
    "('%%'):format()",
    "('%d'):format(1.5)",
    "('%d'):format('x')",
    "('%d'):format()",
    "('%'):format(1)",
    "('%y'):format(1)",
    "('%123d'):format(1)",
    "('%.123f'):format(1)",
    "('%c'):format(65)",
    "('%s'):format(('x'):rep(1000))",
    "('%i %u'):format(3, 4)",
    "('%5.1f'):format(2.25)",
    "('%-+ #05d'):format(1)",
    "('%g'):format(1e20)",
    "('%-5d|% d|%#x|%-5u'):format(1, 2, 3, 4)",
    "('%05s'):format('x')",
    "('%F'):format(1)",
    "table.concat({1, 2, 3})",
    "table.concat({1, 2, 3}, ', ')",
    "table.concat({1, 2, 3}, ',', 2)",
    "table.concat({1, 2, 3}, ',', 2, 3)",
    "table.concat({}, ',')",
    "table.concat({1, {}})",
    "table.concat({1, 2}, ',', 1, 3)",
    "table.concat({}, 'x', math.maxinteger, math.maxinteger)",
    "(function() local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) return t end)()",
    "table.insert({1}, 3, 1)",
    "table.insert({1}, 0, 1)",
    "table.insert({})",
    "(function() local t = {1, 2, 3} return table.remove(t), table.remove(t, 1), t[1], #t "
    "end)()",
    "table.remove({})",
    "table.remove({}, 0)",
    "table.remove({}, 1)",
    "table.remove({1}, 2)",
    "table.remove({1}, 3)",
    "table.remove({1}, 0)",
    "table.pack(1, nil, 3).n",
    "table.unpack({1, 2, 3})",
    "table.unpack({1, 2, 3}, 2)",
    "table.unpack({1, 2, 3}, 2, 5)",
    "table.unpack({}, 1, 0)",
    "table.unpack({}, 1, 1e8)",
    "table.unpack({}, math.mininteger, math.maxinteger)",
    "(function() local t = {5, 2, 9, 1} table.sort(t) return t end)()",
    "(function() local t = {5, 2, 9, 1} table.sort(t, function(a, b) return a > b end) return "
    "t end)()",
    "(function() local t = {'b', 'a', 'c'} table.sort(t) return t end)()",
    "table.sort({1, 'x'})",
    "table.sort({1, {}})",
    "table.sort({2, 1}, 5)",
    "select('#')",
    "select('#', nil, nil)",
    "select(2, 'a', 'b', 'c')",
    "select(-1, 'a', 'b')",
    "select(0, 'a')",
    "select(-3, 'a')",
    "select(9, 'a')",
    "tonumber('10')",
    "tonumber(' 0x10 ')",
    "tonumber('1e2')",
    "tonumber('x')",
    "tonumber('')",
    "tonumber('10', 2)",
    "tonumber('zz', 36)",
    "tonumber('-ff', 16)",
    "tonumber('8', 8)",
    "tonumber('1.5', 10)",
    "tonumber('7', 1)",
    "tonumber('7', 37)",
    "tonumber(5, 10)",
    "tonumber(nil)",
    "tonumber()",
    "tonumber({})",
    "tonumber('  ', 10)",
    "tonumber('1_', 10)",
    "tonumber('9223372036854775808')",
    "tonumber('inf')",
    "tonumber('nan')",
    "tonumber('1 2')",
    "tostring(1)",
    "tostring(1.0)",
    "tostring(-0.0)",
    "tostring(1e100)",
    "tostring('x')",
    "tostring(nil)",
    "tostring(true)",
    "tostring()",
    "type(nil)",
    "type({})",
    "type(type)",
    "type()",
    "assert(1, 2, 3)",
    "assert()",
    "select(2, pcall(error, 'x'))",
    "select(2, pcall(error, 'x', 0))",
    "pcall(error)",
    "pcall()",
    "select(2, pcall(error, 5))",
    "(function() local t = {} for i, v in ipairs({1, 2, nil, 4}) do t[i] = v end return t "
    "end)()",
    "ipairs()",
    "next({})",
    "next({5})",
    "next({5}, 1)",
    "pairs()",
    "next()",
    "math.floor(-1.5)",
    "math.max(1, 5, 3)",
    "math.tointeger(3.0)",
    "math.fmod(-7, 3)",
    "utf8.len('h\\u{e9}')",
    "utf8.char(233, 0x20ac)",
    "utf8.codepoint('\\u{20ac}', 1)",
    "utf8.offset('a\\u{e9}b', 3)",
    "utf8.len('\\xff')"};

TEST(Libraries, AgreeWithLuas) {
  for (const char* expression : kExpressions) {
    EXPECT_EQ(WithOurs(expression), WithStockLua(expression)) << expression;
  }
}

std::string RandomText(std::mt19937_64& random, const std::vector<std::string>& parts,
                       size_t most) {
  std::string text;
  for (size_t i = random() % (most + 1); i > 0; --i) text += parts[random() % parts.size()];
  return text;
}

TEST(Libraries, PatternsAgreeWithLuas) {
  constexpr uint64_t kSeed = 4711;
  std::mt19937_64 random(kSeed);
  SCOPED_TRACE(kSeed);
  const std::vector<std::string> pattern_parts = {
      "a", "b", ".", "%a",   "%D",    "[ab]", "[^a]",  "[%d-]", "(", ")", "()", "*",  "+", "-",
      "?", "^", "$", "%b()", "%f[a]", "%1",   "[a-c]", "%.",    "]", "%", "[",  "%W", "1"};
  const std::vector<std::string> subject_parts = {"a", "b", "c", "ab", "(",
                                                  ")", "1", ".", " ",  "-"};
  for (int i = 0; i < 4000; ++i) {
    const std::string pattern = RandomText(random, pattern_parts, 7);
    const std::string subject = RandomText(random, subject_parts, 9);
    const std::string arguments = absl::StrCat("'", subject, "', '", pattern, "'");
    for (const std::string& expression :
         {absl::StrCat("string.find(", arguments, ", ", random() % 4, ")"),
          absl::StrCat("string.gsub(", arguments, ", '<%0>')"),
          absl::StrCat("(function() local t = {} for a, b in string.gmatch(", arguments,
                       ") do t[#t + 1] = tostring(a) .. tostring(b) end return t end)()")}) {
      ASSERT_EQ(WithOurs(expression), WithStockLua(expression)) << expression;
    }
  }
}

TEST(Libraries, OrderAndArithmeticAreStricterThanLuas) {
  EXPECT_THAT(Result("return '10' + 1"), ::testing::HasSubstr("arithmetic on a string"));
  EXPECT_THAT(Result("return ('%c'):format(0)"), ::testing::HasSubstr("ASCII character"));
  EXPECT_THAT(Result("return ('%a'):format(1)"), ::testing::HasSubstr("invalid conversion"));
  EXPECT_THAT(Result("return ('%q'):format('x')"), ::testing::HasSubstr("invalid conversion"));
}

}  // namespace
}  // namespace bdcsync::script
