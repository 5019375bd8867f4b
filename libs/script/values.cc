#include "libs/script/values.h"

#include <bit>
#include <utility>

#include "libs/script/budget.h"
#include "libs/script/exact_number.h"

namespace bdcsync::script {
namespace {

// Keys of the registry: their addresses are what counts.
const char kNullKey = 0;
const char kArrayMarkKey = 0;
const char kOtherDigitsKey = 0;
// What one level of PushValue has on Lua's stack.
constexpr int kSlotsALevel = 6;

void PushValue(lua_State* lua, const json::Value& value, Digits& digits);

// Pushes the number that has exactly the value of `number`.
void PushNumber(lua_State* lua, const json::Value& number) {
  const absl::string_view text = number.number_text();
  if (text.find_first_of(".eE") == absl::string_view::npos && text != "-0") {
    if (const auto integer = number.AsInt64(); integer.ok()) {
      lua_pushinteger(lua, *integer);
      return;
    }
  }
  if (const auto nearest = number.AsDouble(); nearest.ok()) {
    if (json::Value::FromDouble(*nearest) == number) {
      lua_pushnumber(lua, *nearest);
      return;
    }
  }
  PushExactNumber(lua, text);
}

// Remembers, for the member that is about to be set, digits that another number with its value does
// not have. Key and value are at the top of the stack, their table is below.
void KeepOtherDigits(lua_State* lua, absl::string_view text) {
  luaL_checkstack(lua, kSlotsALevel, nullptr);
  const int key = lua_gettop(lua) - 1;
  const int table = key - 1;
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kOtherDigitsKey);
  lua_pushvalue(lua, table);
  if (lua_rawget(lua, -2) == LUA_TNIL) {
    lua_pop(lua, 1);
    lua_newtable(lua);
    lua_pushvalue(lua, table);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, -4);
  }
  lua_pushvalue(lua, key);
  lua_pushlstring(lua, text.data(), text.size());
  lua_rawset(lua, -3);
  lua_pop(lua, 2);
}

void NoteZeroBytes(lua_State* lua, absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) Budget::Of(lua).ExpectZeroBytes();
}

bool IsFloat(lua_State* lua, int index) {
  return lua_type(lua, index) == LUA_TNUMBER && lua_isinteger(lua, index) == 0;
}

// Pushes a member's value; its key is at the top of the stack.
void PushMember(lua_State* lua, const json::Value& value, Digits& digits) {
  PushValue(lua, value, digits);
  if (!IsFloat(lua, -1)) return;
  if (!digits.Keep(lua_tonumber(lua, -1), value.number_text())) {
    KeepOtherDigits(lua, value.number_text());
  }
}

void PushArray(lua_State* lua, const json::Array& array, Digits& digits) {
  lua_createtable(lua, static_cast<int>(array.size()), 0);
  for (size_t i = 0; i < array.size(); ++i) {
    lua_pushinteger(lua, static_cast<lua_Integer>(i + 1));
    PushMember(lua, array[i], digits);
    lua_rawset(lua, -3);
  }
  MarkArray(lua, -1);
}

void PushObject(lua_State* lua, const json::Object& object, Digits& digits) {
  lua_createtable(lua, 0, static_cast<int>(object.size()));
  for (const json::Member& member : object) {
    NoteZeroBytes(lua, member.key);
    lua_pushlstring(lua, member.key.data(), member.key.size());
    PushMember(lua, member.value, digits);
    lua_rawset(lua, -3);
  }
}

void PushValue(lua_State* lua, const json::Value& value, Digits& digits) {
  luaL_checkstack(lua, kSlotsALevel, "the inputs nest too deep");
  switch (value.kind()) {
    case json::Kind::kNull:
      return PushNull(lua);
    case json::Kind::kBool:
      return lua_pushboolean(lua, value.boolean());
    case json::Kind::kNumber:
      return PushNumber(lua, value);
    case json::Kind::kString:
      NoteZeroBytes(lua, value.string());
      lua_pushlstring(lua, value.string().data(), value.string().size());
      return;
    case json::Kind::kArray:
      return PushArray(lua, value.array(), digits);
    case json::Kind::kObject:
      return PushObject(lua, value.object(), digits);
  }
}

}  // namespace

const std::string* Digits::Find(double number) const {
  const auto found = texts_.find(std::bit_cast<uint64_t>(number));
  return found == texts_.end() ? nullptr : &found->second;
}

bool Digits::Keep(double number, absl::string_view text) {
  const auto [entry, added] = texts_.try_emplace(std::bit_cast<uint64_t>(number), text);
  return added || absl::string_view(entry->second) == text;
}

void OpenValues(lua_State* lua) {
  lua_newtable(lua);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kArrayMarkKey);
  lua_newtable(lua);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kOtherDigitsKey);
}

void PushOtherDigits(lua_State* lua, int index) {
  const int table = lua_absindex(lua, index);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kOtherDigitsKey);
  lua_pushvalue(lua, table);
  lua_rawget(lua, -2);
  lua_remove(lua, -2);
}

void PushInput(lua_State* lua, const json::Value& value, Digits& digits) {
  PushValue(lua, value, digits);
  if (IsFloat(lua, -1)) digits.Keep(lua_tonumber(lua, -1), value.number_text());
}

// Never dereferenced, and nothing that a script can see depends on the address.
void PushNull(lua_State* lua) { lua_pushlightuserdata(lua, const_cast<char*>(&kNullKey)); }

bool IsNull(lua_State* lua, int index) { return lua_islightuserdata(lua, index); }

void MarkArray(lua_State* lua, int index) {
  const int table = lua_absindex(lua, index);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kArrayMarkKey);
  lua_setmetatable(lua, table);
}

// No other tables have a metatable: scripts cannot set one.
bool IsMarkedArray(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TTABLE || lua_getmetatable(lua, index) == 0) return false;
  lua_pop(lua, 1);
  return true;
}

}  // namespace bdcsync::script
