// string.format: %d %i %u %c %x %X %o %e %E %f %F %g %G %s, with flags, width and precision of
// two digits at most. No %p, which shows addresses, no %a.
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "libs/script/budget.h"
#include "libs/script/libraries.h"

namespace bdcsync::script {
namespace {

constexpr size_t kDirectiveDigitsMax = 2;  // Of a width and of a precision.
constexpr size_t kFlagsMax = 5;
constexpr size_t kNumberBytesMax = 512;  // 1e308 with 99 digits behind the point.

size_t CountWhile(absl::string_view text, size_t begin, absl::string_view characters) {
  const size_t end = text.find_first_not_of(characters, begin);
  return (end == absl::string_view::npos ? text.size() : end) - begin;
}

// Reads what stands between the % before `at` and its letter; moves `at` to the letter.
std::string ReadDirective(lua_State* lua, absl::string_view format, size_t& at) {
  constexpr absl::string_view kDigits = "0123456789";
  const size_t begin = at;
  const size_t flags = CountWhile(format, at, "-+ #0");
  at += flags;
  const size_t width = CountWhile(format, at, kDigits);
  at += width;
  size_t precision = 0;
  if (at < format.size() && format[at] == '.') {
    precision = CountWhile(format, ++at, kDigits);
    at += precision;
  }
  if (flags > kFlagsMax || width > kDirectiveDigitsMax || precision > kDirectiveDigitsMax ||
      at == format.size()) {
    luaL_error(lua, "invalid conversion to 'format'");
  }
  return "%" + std::string(format.substr(begin, at - begin));
}

template <typename Number>
void AddNumber(luaL_Buffer& buffer, const std::string& directive, Number number) {
  std::array<char, kNumberBytesMax> text;
  const int bytes = std::snprintf(text.data(), text.size(), directive.c_str(), number);
  luaL_addlstring(&buffer, text.data(), static_cast<size_t>(bytes));
}

void AddText(lua_State* lua, luaL_Buffer& buffer, const std::string& directive, int argument) {
  luaL_checkany(lua, argument);
  PushText(lua, argument);
  size_t bytes = 0;
  const char* const text = lua_tolstring(lua, -1, &bytes);
  if (directive == "%") {
    luaL_addvalue(&buffer);
    return;
  }
  luaL_argcheck(lua, absl::string_view(text, bytes).find('\0') == absl::string_view::npos, argument,
                "string contains zeros");
  // Without a precision a long text is longer than any width.
  if (directive.find('.') == std::string::npos && bytes >= kNumberBytesMax / 4) {
    luaL_addvalue(&buffer);
    return;
  }
  Budget::Of(lua).ChargeBytes(lua, bytes);
  std::array<char, kNumberBytesMax> out;
  const std::string complete = directive + "s";
  const int written = std::snprintf(out.data(), out.size(), complete.c_str(), text);
  lua_pop(lua, 1);
  luaL_addlstring(&buffer, out.data(), static_cast<size_t>(written));
}

void AddDirective(lua_State* lua, luaL_Buffer& buffer, const std::string& directive, char letter,
                  int argument) {
  switch (letter) {
    case 'c': {
      const lua_Integer code = luaL_checkinteger(lua, argument);
      luaL_argcheck(lua, directive == "%" && code > 0 && code <= 0x7f, argument,
                    "an ASCII character without a width is expected");
      luaL_addchar(&buffer, static_cast<char>(code));
      return;
    }
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return AddNumber(buffer, directive + "ll" + letter,
                       static_cast<long long>(luaL_checkinteger(lua, argument)));
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      return AddNumber(buffer, directive + letter, luaL_checknumber(lua, argument));
    case 's':
      return AddText(lua, buffer, directive, argument);
    default:
      luaL_error(lua, "invalid conversion '%%%c' to 'format'", letter);
  }
}

}  // namespace

int StringFormat(lua_State* lua) {
  const int arguments = lua_gettop(lua);
  size_t bytes = 0;
  const char* const data = luaL_checklstring(lua, 1, &bytes);
  const absl::string_view format(data, bytes);
  Budget::Of(lua).ChargeBytes(lua, bytes);
  int argument = 1;
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      luaL_addchar(&buffer, format[at]);
      continue;
    }
    if (++at < format.size() && format[at] == '%') {
      luaL_addchar(&buffer, '%');
      continue;
    }
    const std::string directive = ReadDirective(lua, format, at);
    if (++argument > arguments) return luaL_argerror(lua, argument, "no value");
    Budget::Of(lua).Charge(lua, 2);
    AddDirective(lua, buffer, directive, format[at], argument);
  }
  luaL_pushresult(&buffer);
  return 1;
}

}  // namespace bdcsync::script
