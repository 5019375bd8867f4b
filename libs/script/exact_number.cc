#include "libs/script/exact_number.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "libs/json/decimal.h"
#include "libs/json/value.h"
#include "libs/script/budget.h"

namespace bdcsync::script {
namespace {

constexpr const char* kTypeName = "exact number";

std::string WithoutPoint(absl::string_view digits) {
  std::string plain(digits);
  plain.erase(std::remove(plain.begin(), plain.end(), '.'), plain.end());
  return plain;
}

// Below, equal to or above 0 as a is less than, equal to or greater than b.
int Compare(absl::string_view a, absl::string_view b) {
  const json::Decimal x = json::ReadDecimal(a);
  const json::Decimal y = json::ReadDecimal(b);
  const int sign_x = x.digits.empty() ? 0 : (x.negative ? -1 : 1);
  const int sign_y = y.digits.empty() ? 0 : (y.negative ? -1 : 1);
  if (sign_x != sign_y || sign_x == 0) return sign_x - sign_y;
  const std::string digits_x = WithoutPoint(x.digits);
  const std::string digits_y = WithoutPoint(y.digits);
  const int64_t magnitude_x = x.exponent + static_cast<int64_t>(digits_x.size());
  const int64_t magnitude_y = y.exponent + static_cast<int64_t>(digits_y.size());
  if (magnitude_x != magnitude_y) return magnitude_x < magnitude_y ? -sign_x : sign_x;
  return digits_x.compare(digits_y) * sign_x;  // Neither ends in zeros.
}

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
  return Compare(a, b);
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
  return luaL_error(lua, "a number has more digits than can be calculated with: round it with "
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
  static constexpr luaL_Reg kMethods[] = {
      {"__eq", IsEqual},           {"__lt", IsLess},
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
