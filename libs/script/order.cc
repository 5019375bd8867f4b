// What Lua leaves open and a script must not see: the order of a table's members, which there
// depends on addresses and on a seed, and that of equal elements when sorting.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/script/budget.h"
#include "libs/script/libraries.h"

namespace bdcsync::script {
namespace {

// A key of a table. Numbers come first, then strings by their bytes, then false and true.
struct Key {
  int rank = 0;  // Of its type.
  bool integer = false;
  lua_Integer integer_value = 0;
  lua_Number float_value = 0;
  absl::string_view text;  // Lua keeps it while the table has the key.
};

// Float keys have no integer value, so exact comparison with integers is that of their floors.
bool NumberLess(const Key& a, const Key& b) {
  if (a.integer && b.integer) return a.integer_value < b.integer_value;
  if (!a.integer && !b.integer) return a.float_value < b.float_value;
  const lua_Number number = a.integer ? b.float_value : a.float_value;
  const lua_Integer integer = a.integer ? a.integer_value : b.integer_value;
  lua_Integer whole = 0;
  bool integer_less = number > 0;  // Beyond all integers.
  if (lua_numbertointeger(std::floor(number), &whole)) integer_less = integer <= whole;
  return a.integer == integer_less;
}

bool operator<(const Key& a, const Key& b) {
  if (a.rank != b.rank) return a.rank < b.rank;
  return a.rank == 0 ? NumberLess(a, b) : a.text < b.text;
}

Key KeyAt(lua_State* lua, int index) {
  Key key;
  switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
      key.integer = lua_isinteger(lua, index) != 0;
      if (key.integer) {
        key.integer_value = lua_tointeger(lua, index);
      } else {
        key.float_value = lua_tonumber(lua, index);
      }
      return key;
    case LUA_TSTRING: {
      key.rank = 1;
      size_t bytes = 0;
      const char* const data = lua_tolstring(lua, index, &bytes);
      key.text = absl::string_view(data, bytes);
      return key;
    }
    case LUA_TBOOLEAN:
      key.rank = lua_toboolean(lua, index) != 0 ? 3 : 2;
      return key;
    default:
      luaL_error(lua, "a table with a %s as a key has no order to go through it",
                 TypeNameAt(lua, index));
      return key;
  }
}

void PushKey(lua_State* lua, const Key& key) {
  if (key.rank == 1) {
    lua_pushlstring(lua, key.text.data(), key.text.size());
  } else if (key.rank > 1) {
    lua_pushboolean(lua, key.rank == 3);
  } else if (key.integer) {
    lua_pushinteger(lua, key.integer_value);
  } else {
    lua_pushnumber(lua, key.float_value);
  }
}

std::vector<Key> KeysOf(lua_State* lua, int table) {
  std::vector<Key> keys;
  lua_pushnil(lua);
  while (lua_next(lua, table) != 0) {
    lua_pop(lua, 1);
    Budget::Of(lua).Charge(lua, 2);
    keys.push_back(KeyAt(lua, -1));
  }
  return keys;
}

// Upvalues: the table, its keys in order, how many were visited.
int StepPairs(lua_State* lua) {
  lua_Integer at = lua_tointeger(lua, lua_upvalueindex(3));
  int type = LUA_TNIL;
  do {
    Budget::Of(lua).Charge(lua, 1);
    lua_settop(lua, 0);
    if (lua_rawgeti(lua, lua_upvalueindex(2), ++at) == LUA_TNIL) return 1;
    lua_pushvalue(lua, 1);
    type = lua_rawget(lua, lua_upvalueindex(1));
  } while (type == LUA_TNIL);  // The key was removed meanwhile.
  lua_pushinteger(lua, at);
  lua_replace(lua, lua_upvalueindex(3));
  return 2;
}

// Merge sort, which keeps the order of equal elements and ends whatever the comparison says.
class Sorter {
 public:
  // Works on the table at 1 with the function at 2, if any; uses 3 for what is merged.
  explicit Sorter(lua_State* lua) : lua_(lua), by_function_(!lua_isnoneornil(lua, 2)) {}

  void Sort(lua_Integer size) {
    lua_settop(lua_, 2);
    lua_createtable(lua_, static_cast<int>(size), 0);
    for (lua_Integer run = 1; run < size; run *= 2) {
      for (lua_Integer begin = 1; begin + run <= size; begin += 2 * run) {
        Merge(begin, begin + run, std::min(begin + 2 * run, size + 1));
      }
    }
  }

 private:
  void Merge(lua_Integer begin, lua_Integer middle, lua_Integer end) {
    lua_Integer left = begin;
    lua_Integer right = middle;
    for (lua_Integer at = begin; at < end; ++at) {
      const bool from_right = left == middle || (right < end && Less(right, left));
      lua_rawgeti(lua_, 1, from_right ? right++ : left++);
      lua_rawseti(lua_, 3, at);
    }
    for (lua_Integer at = begin; at < end; ++at) {
      lua_rawgeti(lua_, 3, at);
      lua_rawseti(lua_, 1, at);
    }
    Budget::Of(lua_).Charge(lua_, static_cast<uint64_t>(end - begin) * 4);
  }

  bool Less(lua_Integer a, lua_Integer b) {
    Budget::Of(lua_).ChargeWeighted(lua_, 1);
    if (by_function_) lua_pushvalue(lua_, 2);
    lua_rawgeti(lua_, 1, a);
    lua_rawgeti(lua_, 1, b);
    if (by_function_) {
      lua_call(lua_, 2, 1);
      const bool less = lua_toboolean(lua_, -1) != 0;
      lua_pop(lua_, 1);
      return less;
    }
    const bool less = lua_compare(lua_, -2, -1, LUA_OPLT) != 0;
    lua_pop(lua_, 2);
    return less;
  }

  lua_State* lua_;
  bool by_function_;
};

}  // namespace

int BasePairs(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 1);
  std::vector<Key> keys = KeysOf(lua, 1);
  std::sort(keys.begin(), keys.end());
  Budget::Of(lua).ChargeWeighted(lua, keys.size());
  lua_createtable(lua, static_cast<int>(keys.size()), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    PushKey(lua, keys[i]);
    lua_rawseti(lua, 2, static_cast<lua_Integer>(i + 1));
  }
  lua_pushinteger(lua, 0);
  lua_pushcclosure(lua, StepPairs, 3);
  return 1;
}

int BaseNext(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  lua_settop(lua, 2);
  const bool first = lua_isnil(lua, 2);
  const Key after = first ? Key() : KeyAt(lua, 2);
  const std::vector<Key> keys = KeysOf(lua, 1);
  Budget::Of(lua).ChargeWeighted(lua, keys.size());
  const Key* found = nullptr;
  for (const Key& key : keys) {
    if ((first || after < key) && (found == nullptr || key < *found)) found = &key;
  }
  if (found == nullptr) {
    lua_pushnil(lua);
    return 1;
  }
  PushKey(lua, *found);
  lua_pushvalue(lua, -1);
  lua_rawget(lua, 1);
  return 2;
}

int TableSort(lua_State* lua) {
  luaL_checktype(lua, 1, LUA_TTABLE);
  if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
  Sorter(lua).Sort(static_cast<lua_Integer>(lua_rawlen(lua, 1)));
  return 0;
}

}  // namespace bdcsync::script
