// The library `table`: concat, insert, pack, remove, sort, unpack. `move` is not there.
#include <climits>
#include <cstddef>

#include "libs/script/budget.h"
#include "libs/script/libraries.h"

namespace bdcsync::script {
namespace {

constexpr uint64_t kStepsAShift = 2;

lua_Integer LengthOf(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  return static_cast<lua_Integer>(lua_rawlen(lua, 1));
}

int TableInsert(lua_State* lua) {
  const lua_Integer end = LengthOf(lua) + 1;
  const int arguments = lua_gettop(lua);
  if (arguments == 2) {
    lua_rawseti(lua, 1, end);
    return 0;
  }
  if (arguments != 3) return luaL_error(lua, "wrong number of arguments to 'insert'");
  const lua_Integer position = luaL_checkinteger(lua, 2);
  luaL_argcheck(lua, 1 <= position && position <= end, 2, "position out of bounds");
  Budget::Of(lua).Charge(lua, static_cast<uint64_t>(end - position) * kStepsAShift);
  for (lua_Integer at = end; at > position; --at) {
    lua_rawgeti(lua, 1, at - 1);
    lua_rawseti(lua, 1, at);
  }
  lua_rawseti(lua, 1, position);
  return 0;
}

int TableRemove(lua_State* lua) {
  const lua_Integer size = LengthOf(lua);
  const lua_Integer position = luaL_optinteger(lua, 2, size);
  lua_settop(lua, 1);
  // Of an empty table, place 0 and the one after the end may be "removed".
  const bool inside = 1 <= position && position <= size + 1;
  luaL_argcheck(lua, inside || (size == 0 && position == 0), 2, "position out of bounds");
  lua_rawgeti(lua, 1, position);
  if (position < size) {
    Budget::Of(lua).Charge(lua, static_cast<uint64_t>(size - position) * kStepsAShift);
  }
  lua_Integer at = position;
  for (; at < size; ++at) {
    lua_rawgeti(lua, 1, at + 1);
    lua_rawseti(lua, 1, at);
  }
  lua_pushnil(lua);
  lua_rawseti(lua, 1, at);
  return 1;
}

int TableConcat(lua_State* lua) {
  const lua_Integer size = LengthOf(lua);
  size_t separator_bytes = 0;
  const char* const separator = luaL_optlstring(lua, 2, "", &separator_bytes);
  const lua_Integer first = luaL_optinteger(lua, 3, 1);
  const lua_Integer last = luaL_optinteger(lua, 4, size);
  luaL_Buffer buffer;
  luaL_buffinit(lua, &buffer);
  for (lua_Integer at = first; at <= last; ++at) {
    Budget::Of(lua).Charge(lua, 2);
    lua_rawgeti(lua, 1, at);
    if (lua_isstring(lua, -1) == 0) {
      return luaL_error(lua, "invalid value (a %s at index %I) in table for 'concat'",
                        TypeNameAt(lua, -1), at);
    }
    luaL_addvalue(&buffer);
    if (at == last) break;  // Before it overflows.
    Budget::Of(lua).ChargeBytes(lua, separator_bytes);
    luaL_addlstring(&buffer, separator, separator_bytes);
  }
  luaL_pushresult(&buffer);
  return 1;
}

int TablePack(lua_State* lua) {
  const int count = lua_gettop(lua);
  Budget::Of(lua).Charge(lua, static_cast<uint64_t>(count));
  lua_createtable(lua, count, 1);
  lua_insert(lua, 1);
  for (int at = count; at >= 1; --at) lua_rawseti(lua, 1, at);
  lua_pushinteger(lua, count);
  lua_setfield(lua, 1, "n");
  return 1;
}

int TableUnpack(lua_State* lua) {
  const lua_Integer size = LengthOf(lua);
  const lua_Integer first = luaL_optinteger(lua, 2, 1);
  const lua_Integer last = luaL_optinteger(lua, 3, size);
  if (first > last) return 0;
  const lua_Unsigned count = static_cast<lua_Unsigned>(last) - static_cast<lua_Unsigned>(first);
  if (count >= INT_MAX || lua_checkstack(lua, static_cast<int>(count + 1)) == 0) {
    return luaL_error(lua, "too many results to unpack");
  }
  Budget::Of(lua).Charge(lua, count);
  for (lua_Unsigned i = 0; i <= count; ++i) {
    lua_rawgeti(lua, 1, static_cast<lua_Integer>(static_cast<lua_Unsigned>(first) + i));
  }
  return static_cast<int>(count + 1);
}

}  // namespace

void PushTableLibrary(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"concat", TableConcat}, {"insert", TableInsert}, {"pack", TablePack},  {"remove", TableRemove},
      {"sort", TableSort},     {"unpack", TableUnpack}, {nullptr, nullptr}};
  luaL_newlib(lua, kFunctions);
}

}  // namespace bdcsync::script
