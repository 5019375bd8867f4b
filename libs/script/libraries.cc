// The globals of a script, and the libraries `math` and `utf8`: chosen functions of Lua's own.
#include "libs/script/libraries.h"

#include <cstddef>

#include "libs/script/budget.h"
#include "libs/script/exact_number.h"
#include "libs/script/values.h"

namespace bdcsync::script {
namespace {

// Calls the function of Lua's that is its upvalue, which goes through all of its first argument.
int CallCharged(lua_State* lua) {
  size_t bytes = 0;
  if (lua_type(lua, 1) == LUA_TSTRING) lua_tolstring(lua, 1, &bytes);
  Budget::Of(lua).Charge(lua, bytes / 4 + static_cast<size_t>(lua_gettop(lua)));
  return lua_tocfunction(lua, lua_upvalueindex(1))(lua);
}

int Utf8Char(lua_State* lua) {
  for (int i = 1; i <= lua_gettop(lua); ++i) {
    if (luaL_checkinteger(lua, i) == 0) Budget::Of(lua).ExpectZeroBytes();
  }
  return CallCharged(lua);
}

// Moves the field `name` of the table at the top to the one below.
void Choose(lua_State* lua, const char* name) {
  lua_getfield(lua, -1, name);
  lua_setfield(lua, -3, name);
}

}  // namespace

void PushMathLibrary(lua_State* lua) {
  static constexpr const char* kNames[] = {
      "abs", "ceil", "exp",  "floor",      "fmod", "huge", "log", "max",       "maxinteger",
      "min", "mininteger", "modf", "pi", "sqrt", "tointeger", "type", "ult"};
  lua_createtable(lua, 0, static_cast<int>(std::size(kNames)));
  luaopen_math(lua);
  for (const char* name : kNames) Choose(lua, name);
  lua_pop(lua, 1);
}

void PushUtf8Library(lua_State* lua) {
  static constexpr const char* kCharged[] = {"codepoint", "len", "offset"};
  lua_createtable(lua, 0, 6);
  luaopen_utf8(lua);
  Choose(lua, "charpattern");
  Choose(lua, "codes");
  for (const char* name : kCharged) {
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, CallCharged, 1);
    lua_setfield(lua, -3, name);
  }
  lua_getfield(lua, -1, "char");
  lua_pushcclosure(lua, Utf8Char, 1);
  lua_setfield(lua, -3, "char");
  lua_pop(lua, 1);
}

void OpenLibraries(lua_State* lua) {
  OpenExactNumbers(lua);
  OpenValues(lua);
  OpenBase(lua);
  PushJsonLibrary(lua);
  lua_setglobal(lua, "json");
  PushMathLibrary(lua);
  lua_setglobal(lua, "math");
  PushStringLibrary(lua);
  lua_setglobal(lua, "string");
  PushTableLibrary(lua);
  lua_setglobal(lua, "table");
  PushUtf8Library(lua);
  lua_setglobal(lua, "utf8");
}

}  // namespace bdcsync::script
