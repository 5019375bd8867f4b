// The library `json`: null, array, equal, type.
#include <utility>

#include "absl/status/statusor.h"
#include "libs/json/value.h"
#include "libs/script/exact_number.h"
#include "libs/script/libraries.h"
#include "libs/script/result.h"
#include "libs/script/values.h"

namespace bdcsync::script {
namespace {

// What json.equal compares is bounded by the budget; these only keep a table that holds itself out.
constexpr size_t kEqualDepthMax = json::kDepthCeiling;

// json.array([table]): marks the table, or a new one, as an array and returns it.
int JsonArray(lua_State* lua) {
  if (lua_isnoneornil(lua, 1)) {
    lua_settop(lua, 0);
    lua_newtable(lua);
  }
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 1);
  MarkArray(lua, 1);
  return 1;
}

json::Value ValueOfArgument(lua_State* lua, int index) {
  absl::StatusOr<json::Value> value = ReadResult(
      lua, index, Digits(),
      {.output_bytes_max = kOutputBytesCeiling, .depth_max = kEqualDepthMax});
  if (!value.ok()) {
    lua_pushlstring(lua, value.status().message().data(), value.status().message().size());
    luaL_argerror(lua, index, lua_tostring(lua, -1));
  }
  return *std::move(value);
}

// json.equal(a, b): whether both are the same JSON, or both missing.
int JsonEqual(lua_State* lua) {
  lua_settop(lua, 2);
  if (lua_isnil(lua, 1) || lua_isnil(lua, 2)) {
    lua_pushboolean(lua, lua_isnil(lua, 1) && lua_isnil(lua, 2));
    return 1;
  }
  const bool equal = ValueOfArgument(lua, 1) == ValueOfArgument(lua, 2);
  lua_pushboolean(lua, equal);
  return 1;
}

// json.type(value): as JSON names it; nil for what is missing.
int JsonType(lua_State* lua) {
  switch (lua_type(lua, 1)) {
    case LUA_TNONE:
    case LUA_TNIL:
      lua_pushnil(lua);
      return 1;
    case LUA_TTABLE:
      if (IsMarkedArray(lua, 1) || lua_rawlen(lua, 1) > 0) {
        lua_pushliteral(lua, "array");
      } else {
        lua_pushliteral(lua, "object");
      }
      return 1;
    default:
      lua_pushstring(lua, ExactNumberAt(lua, 1).has_value() ? "number" : TypeNameAt(lua, 1));
      return 1;
  }
}

}  // namespace

void PushJsonLibrary(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"array", JsonArray}, {"equal", JsonEqual}, {"type", JsonType}, {nullptr, nullptr}};
  luaL_newlib(lua, kFunctions);
  PushNull(lua);
  lua_setfield(lua, -2, "null");
}

}  // namespace bdcsync::script
