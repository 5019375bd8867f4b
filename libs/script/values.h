// JSON to Lua and back, so that what a script does not touch comes back as it was: digits, null,
// empty arrays and empty objects. Internal to libs/script. Not thread-safe: works on a Lua state.
//
//   null                a constant, json.null; missing is nil
//   boolean, string     the same
//   number              an integer or float of Lua's that has exactly its value; otherwise an exact
//                       number (exact_number.h)
//   array               a table that is marked as an array, even when empty
//   object              a table
#pragma once

#include <cstdint>
#include <lua.hpp>
#include <string>
#include <unordered_map>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::script {

// How the inputs wrote the floats that Lua would write in another way (1.0, 0.10).
class Digits {
 public:
  // The text that was first seen for `number`; nullptr: none.
  const std::string* Find(double number) const;
  // Keeps `text` for `number` unless there is one. False when that is another one.
  bool Keep(double number, absl::string_view text);

 private:
  std::unordered_map<uint64_t, std::string> texts_;  // By the bits: -0.0 is not 0.0.
};

// Makes the state ready for the others.
void OpenValues(lua_State* lua);

void PushNull(lua_State* lua);
bool IsNull(lua_State* lua, int index);
// Marks the table at `index` as an array.
void MarkArray(lua_State* lua, int index);
bool IsMarkedArray(lua_State* lua, int index);

// Pushes `value`. May raise Lua's error for too little memory.
void PushInput(lua_State* lua, const json::Value& value, Digits& digits);
// Pushes the table, by key, of the digits of members of the table at `index` that are others than
// Digits has; nil when there are none.
void PushOtherDigits(lua_State* lua, int index);

}  // namespace bdcsync::script
