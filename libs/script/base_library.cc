// The globals: assert, error, ipairs, next, pairs, pcall, select, tonumber, tostring, type.
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "libs/script/budget.h"
#include "libs/script/exact_number.h"
#include "libs/script/libraries.h"
#include "libs/script/values.h"

namespace bdcsync::script {
namespace {

constexpr lua_Integer kBaseMin = 2;
constexpr lua_Integer kBaseMax = 36;

int BaseAssert(lua_State* lua) {
  if (lua_toboolean(lua, 1) != 0) return lua_gettop(lua);
  luaL_checkany(lua, 1);
  lua_remove(lua, 1);
  lua_pushliteral(lua, "assertion failed!");
  lua_settop(lua, 1);  // The message that was given, else this one.
  return lua_error(lua);
}

int BaseError(lua_State* lua) {
  const lua_Integer level = luaL_optinteger(lua, 2, 1);
  lua_settop(lua, 1);
  if (lua_type(lua, 1) == LUA_TSTRING && level > 0) {
    luaL_where(lua, static_cast<int>(level));
    lua_pushvalue(lua, 1);
    lua_concat(lua, 2);
  }
  return lua_error(lua);
}

int StepIpairs(lua_State* lua) {
  const lua_Integer index = luaL_checkinteger(lua, 2) + 1;
  lua_pushinteger(lua, index);
  return lua_rawgeti(lua, 1, index) == LUA_TNIL ? 1 : 2;
}

int BaseIpairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_pushcfunction(lua, StepIpairs);
  lua_pushvalue(lua, 1);
  lua_pushinteger(lua, 0);
  return 3;
}

// An error that ends the run passes through: OnCaught() raises it again.
int BasePcall(lua_State* lua) {
  luaL_checkany(lua, 1);
  const int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
  if (status != LUA_OK) Budget::Of(lua).OnCaught(lua, status);
  luaL_checkstack(lua, 1, nullptr);
  lua_pushboolean(lua, status == LUA_OK);
  lua_insert(lua, 1);
  return lua_gettop(lua);
}

int BaseSelect(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (lua_type(lua, 1) == LUA_TSTRING && *lua_tostring(lua, 1) == '#') {
    lua_pushinteger(lua, count - 1);
    return 1;
  }
  lua_Integer first = luaL_checkinteger(lua, 1);
  if (first < 0) {
    first += count;
  } else if (first > count) {
    first = count;
  }
  luaL_argcheck(lua, first >= 1, 1, "index out of range");
  return count - static_cast<int>(first);
}

// The integer that `text` is in `base`; wraps around as Lua's does.
std::optional<lua_Integer> ReadInteger(absl::string_view text, lua_Integer base) {
  text = absl::StripAsciiWhitespace(text);
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  lua_Unsigned value = 0;
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c))) return std::nullopt;
    const int digit = absl::ascii_isdigit(static_cast<unsigned char>(c))
                          ? c - '0'
                          : absl::ascii_toupper(static_cast<unsigned char>(c)) - 'A' + 10;
    if (digit >= base) return std::nullopt;
    value = value * static_cast<lua_Unsigned>(base) + static_cast<lua_Unsigned>(digit);
  }
  return static_cast<lua_Integer>(negative ? 0 - value : value);
}

int BaseTonumber(lua_State* lua) {
  luaL_checkany(lua, 1);
  size_t bytes = 0;
  if (!lua_isnoneornil(lua, 2)) {
    const lua_Integer base = luaL_checkinteger(lua, 2);
    luaL_checktype(lua, 1, LUA_TSTRING);
    luaL_argcheck(lua, kBaseMin <= base && base <= kBaseMax, 2, "base out of range");
    const char* const text = lua_tolstring(lua, 1, &bytes);
    Budget::Of(lua).ChargeBytes(lua, bytes);
    const auto integer = ReadInteger(absl::string_view(text, bytes), base);
    if (integer.has_value()) {
      lua_pushinteger(lua, *integer);
    } else {
      lua_pushnil(lua);
    }
    return 1;
  }
  if (lua_type(lua, 1) == LUA_TNUMBER) {
    lua_settop(lua, 1);
  } else if (const auto exact = ExactNumberAt(lua, 1)) {
    Budget::Of(lua).ChargeBytes(lua, exact->size());
    PushRounded(lua, *exact);
  } else if (lua_type(lua, 1) == LUA_TSTRING) {
    const char* const text = lua_tolstring(lua, 1, &bytes);
    Budget::Of(lua).Charge(lua, bytes / 4 + 1);  // Reading digits takes a while.
    if (lua_stringtonumber(lua, text) != bytes + 1) lua_pushnil(lua);
  } else {
    lua_pushnil(lua);
  }
  return 1;
}

int BaseTostring(lua_State* lua) {
  luaL_checkany(lua, 1);
  PushText(lua, 1);
  return 1;
}

int BaseType(lua_State* lua) {
  luaL_checkany(lua, 1);
  lua_pushstring(lua, TypeNameAt(lua, 1));
  return 1;
}

}  // namespace

const char* TypeNameAt(lua_State* lua, int index) {
  if (IsNull(lua, index)) return "null";
  if (ExactNumberAt(lua, index).has_value()) return "exact number";
  return luaL_typename(lua, index);
}

void PushText(lua_State* lua, int index) {
  if (const auto exact = ExactNumberAt(lua, index)) {
    lua_pushlstring(lua, exact->data(), exact->size());
    return;
  }
  switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
      lua_pushvalue(lua, index);
      lua_tostring(lua, -1);  // Turns the copy into a string.
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(lua, lua_toboolean(lua, index) != 0 ? "true" : "false");
      return;
    default:
      lua_pushstring(lua, TypeNameAt(lua, index));
  }
}

void OpenBase(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"assert", BaseAssert}, {"error", BaseError},       {"ipairs", BaseIpairs},
      {"next", BaseNext},     {"pairs", BasePairs},       {"pcall", BasePcall},
      {"select", BaseSelect}, {"tonumber", BaseTonumber}, {"tostring", BaseTostring},
      {"type", BaseType},     {nullptr, nullptr}};
  lua_pushglobaltable(lua);
  luaL_setfuncs(lua, kFunctions, 0);
  lua_pop(lua, 1);
}

}  // namespace bdcsync::script
