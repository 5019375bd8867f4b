// string.find, match, gmatch and gsub.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "libs/script/budget.h"
#include "libs/script/libraries.h"
#include "libs/script/pattern.h"

namespace bdcsync::script {
namespace {

constexpr absl::string_view kSpecials = "^$*+?.([%-";

absl::string_view TextAt(lua_State* lua, int index) {
  size_t bytes = 0;
  const char* const data = luaL_checklstring(lua, index, &bytes);
  return absl::string_view(data, bytes);
}

// Where to begin, from 0, by an optional argument; beyond the end of the text: npos.
size_t StartArgument(lua_State* lua, int index, size_t size) {
  const lua_Integer start = luaL_optinteger(lua, index, 1);
  const lua_Integer length = static_cast<lua_Integer>(size);
  if (start > length + 1) return absl::string_view::npos;
  if (start > 0) return static_cast<size_t>(start - 1);
  return start == 0 || start < -length ? 0 : static_cast<size_t>(length + start);
}

int FindPlain(lua_State* lua, absl::string_view subject, absl::string_view text, size_t start) {
  Budget::Of(lua).ChargeBytes(lua, subject.size() - start + text.size());
  const char* found = subject.data() + start;
  if (!text.empty()) {
    // Linear, whatever the texts; string_view::find is not.
    found = static_cast<const char*>(
        memmem(subject.data() + start, subject.size() - start, text.data(), text.size()));
  }
  if (found == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  const lua_Integer first = found - subject.data() + 1;
  lua_pushinteger(lua, first);
  lua_pushinteger(lua, first + static_cast<lua_Integer>(text.size()) - 1);
  return 2;
}

int FindOrMatch(lua_State* lua, bool find) {
  const absl::string_view subject = TextAt(lua, 1);
  absl::string_view text = TextAt(lua, 2);
  const size_t start = StartArgument(lua, 3, subject.size());
  if (start == absl::string_view::npos) {
    lua_pushnil(lua);
    return 1;
  }
  if (find && (lua_toboolean(lua, 4) != 0 ||
               text.find_first_of(kSpecials) == absl::string_view::npos)) {
    return FindPlain(lua, subject, text, start);
  }
  const bool anchored = !text.empty() && text[0] == '^';
  if (anchored) text.remove_prefix(1);
  Pattern pattern(lua, subject, text);
  const char* at = subject.data() + start;
  do {
    Budget::Of(lua).Charge(lua, 1);
    const char* const end = pattern.MatchAt(at);
    if (end == nullptr) continue;
    if (!find) return pattern.PushCaptures(at, end, /*whole=*/true);
    lua_pushinteger(lua, at - subject.data() + 1);
    lua_pushinteger(lua, end - subject.data());
    return 2 + pattern.PushCaptures(at, end, /*whole=*/false);
  } while (at++ < pattern.subject_end() && !anchored);
  lua_pushnil(lua);
  return 1;
}

// Upvalues: the text, the pattern, where to go on, where the last match ended (both from 0).
int StepGmatch(lua_State* lua) {
  const absl::string_view subject = TextAt(lua, lua_upvalueindex(1));
  Pattern pattern(lua, subject, TextAt(lua, lua_upvalueindex(2)));
  const char* at = subject.data() + lua_tointeger(lua, lua_upvalueindex(3));
  const lua_Integer last_end = lua_tointeger(lua, lua_upvalueindex(4));
  for (; at <= pattern.subject_end(); ++at) {
    Budget::Of(lua).Charge(lua, 1);
    const char* const end = pattern.MatchAt(at);
    if (end == nullptr || end - subject.data() == last_end) continue;
    lua_pushinteger(lua, end - subject.data());
    lua_copy(lua, -1, lua_upvalueindex(3));
    lua_replace(lua, lua_upvalueindex(4));
    return pattern.PushCaptures(at, end, /*whole=*/true);
  }
  return 0;
}

// Adds what the replacement text at 3 means for a match.
void AddText(lua_State* lua, luaL_Buffer& buffer, Pattern& pattern, const char* start,
             const char* end) {
  const absl::string_view text = TextAt(lua, 3);
  Budget::Of(lua).ChargeBytes(lua, text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      luaL_addchar(&buffer, text[i]);
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next == '%') {
      luaL_addchar(&buffer, '%');
    } else if (next == '0') {
      luaL_addlstring(&buffer, start, static_cast<size_t>(end - start));
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(next))) {
      pattern.PushCapture(next - '1', start, end);
      luaL_tolstring(lua, -1, nullptr);  // A position is a number.
      lua_remove(lua, -2);
      luaL_addvalue(&buffer);
    } else {
      luaL_error(lua, "invalid use of '%%' in replacement string");
    }
  }
}

// Adds what stands for a match: the match itself when that is nil or false.
void AddReplacement(lua_State* lua, luaL_Buffer& buffer, Pattern& pattern, const char* start,
                    const char* end) {
  switch (lua_type(lua, 3)) {
    case LUA_TFUNCTION:
      lua_pushvalue(lua, 3);
      lua_call(lua, pattern.PushCaptures(start, end, /*whole=*/true), 1);
      break;
    case LUA_TTABLE:
      pattern.PushCapture(0, start, end);
      lua_rawget(lua, 3);
      break;
    default:
      return AddText(lua, buffer, pattern, start, end);
  }
  if (lua_toboolean(lua, -1) == 0) {
    lua_pop(lua, 1);
    luaL_addlstring(&buffer, start, static_cast<size_t>(end - start));
    return;
  }
  if (lua_isstring(lua, -1) == 0) {
    luaL_error(lua, "invalid replacement value (a %s)", TypeNameAt(lua, -1));
  }
  luaL_addvalue(&buffer);
}

}  // namespace

int StringFind(lua_State* lua) { return FindOrMatch(lua, /*find=*/true); }

int StringMatch(lua_State* lua) { return FindOrMatch(lua, /*find=*/false); }

int StringGmatch(lua_State* lua) {
  const absl::string_view subject = TextAt(lua, 1);
  TextAt(lua, 2);
  const size_t start = StartArgument(lua, 3, subject.size());
  lua_settop(lua, 2);
  lua_pushinteger(lua, static_cast<lua_Integer>(std::min(start, subject.size() + 1)));
  lua_pushinteger(lua, -1);
  lua_pushcclosure(lua, StepGmatch, 4);
  return 1;
}

int StringGsub(lua_State* lua) {
  const absl::string_view subject = TextAt(lua, 1);
  absl::string_view text = TextAt(lua, 2);
  const int type = lua_type(lua, 3);
  luaL_argexpected(lua, type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TTABLE ||
                            type == LUA_TFUNCTION,
                   3, "string/function/table");
  const lua_Integer count_max =
      luaL_optinteger(lua, 4, static_cast<lua_Integer>(subject.size()) + 1);
  if (type == LUA_TNUMBER) lua_tostring(lua, 3);
  const bool anchored = !text.empty() && text[0] == '^';
  if (anchored) text.remove_prefix(1);
  Pattern pattern(lua, subject, text);
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  const char* at = subject.data();
  const char* last_end = nullptr;
  lua_Integer count = 0;
  while (count < count_max) {
    Budget::Of(lua).Charge(lua, 1);
    const char* const end = pattern.MatchAt(at);
    if (end != nullptr && end != last_end) {
      ++count;
      AddReplacement(lua, buffer, pattern, at, end);
      at = last_end = end;
    } else if (at < pattern.subject_end()) {
      luaL_addchar(&buffer, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&buffer, at, static_cast<size_t>(pattern.subject_end() - at));
  luaL_pushresult(&buffer);
  lua_pushinteger(lua, count);
  return 2;
}

}  // namespace bdcsync::script
