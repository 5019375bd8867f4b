#include "libs/script/exact_number.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "libs/json/decimal_math.h"
#include "libs/json/value.h"
#include "libs/script/budget.h"

namespace bdcsync::script {
namespace {

constexpr const char* kTypeName = "exact number";

// The exact value of a float is that of its shortest digits, as everywhere in JSON.
std::string TextOf(lua_State* lua, int index) {
  if (const auto text = ExactNumberAt(lua, index)) return std::string(*text);
  if (lua_isinteger(lua, index)) return std::to_string(lua_tointeger(lua, index));
  if (lua_type(lua, index) == LUA_TNUMBER) {
    if (const auto value = json::Value::FromDouble(lua_tonumber(lua, index))) {
      return std::string(value->number_text());
    }
  }
  luaL_error(lua, "attempt to compare an exact number with a %s", luaL_typename(lua, index));
  return "";
}

int CompareOperands(lua_State* lua) {
  const std::string a = TextOf(lua, 1);
  const std::string b = TextOf(lua, 2);
  Budget::Of(lua).ChargeBytes(lua, a.size() + b.size());
  return json::CompareNumbers(a, b);
}

int IsEqual(lua_State* lua) {
  lua_pushboolean(lua, CompareOperands(lua) == 0);
  return 1;
}

int IsLess(lua_State* lua) {
  lua_pushboolean(lua, CompareOperands(lua) < 0);
  return 1;
}

int IsLessOrEqual(lua_State* lua) {
  lua_pushboolean(lua, CompareOperands(lua) <= 0);
  return 1;
}

int RefuseArithmetic(lua_State* lua) {
  return luaL_error(lua,
                    "a number has more digits than can be calculated with: round it with "
                    "tonumber");
}

int Concatenate(lua_State* lua) {
  for (const int operand : {1, 2}) {
    if (const auto text = ExactNumberAt(lua, operand)) {
      lua_pushlstring(lua, text->data(), text->size());
      lua_replace(lua, operand);
    } else if (lua_isstring(lua, operand) == 0) {
      return luaL_error(lua, "attempt to concatenate a %s", luaL_typename(lua, operand));
    }
  }
  lua_settop(lua, 2);
  lua_concat(lua, 2);
  return 1;
}

}  // namespace

void OpenExactNumbers(lua_State* lua) {
  static constexpr luaL_Reg kMethods[] = {{"__eq", IsEqual},           {"__lt", IsLess},
                                          {"__le", IsLessOrEqual},     {"__concat", Concatenate},
                                          {"__add", RefuseArithmetic}, {"__sub", RefuseArithmetic},
                                          {"__mul", RefuseArithmetic}, {"__div", RefuseArithmetic},
                                          {"__mod", RefuseArithmetic}, {"__idiv", RefuseArithmetic},
                                          {"__pow", RefuseArithmetic}, {"__unm", RefuseArithmetic},
                                          {nullptr, nullptr}};
  luaL_newmetatable(lua, kTypeName);
  luaL_setfuncs(lua, kMethods, 0);
  lua_pop(lua, 1);
}

void PushExactNumber(lua_State* lua, absl::string_view text) {
  void* const digits = lua_newuserdatauv(lua, text.size(), 0);
  std::memcpy(digits, text.data(), text.size());
  luaL_setmetatable(lua, kTypeName);
}

std::optional<absl::string_view> ExactNumberAt(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TUSERDATA) return std::nullopt;  // There are no others.
  return absl::string_view(static_cast<const char*>(lua_touserdata(lua, index)),
                           lua_rawlen(lua, index));
}

void PushRounded(lua_State* lua, absl::string_view text) {
  const std::optional<json::Value> number = json::Value::FromNumberText(text);
  if (number.has_value()) {
    if (const auto rounded = number->AsDouble(); rounded.ok()) {
      lua_pushnumber(lua, *rounded);
      return;
    }
  }
  lua_pushnil(lua);
}

}  // namespace bdcsync::script
