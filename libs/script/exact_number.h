// A JSON number that no number of Lua's can hold, such as 1e400 or one with twenty digits: it goes
// through a script with its digits. A script can compare it and turn it into text, and must ask for
// a rounded one (tonumber) to calculate. Internal to libs/script. Not thread-safe: it lives in a
// Lua state.
#pragma once

#include <lua.hpp>
#include <optional>

#include "absl/strings/string_view.h"

namespace bdcsync::script {

// Makes the state ready for the others.
void OpenExactNumbers(lua_State* lua);
void PushExactNumber(lua_State* lua, absl::string_view text);
// The digits of the exact number at `index`; nothing when something else is there.
std::optional<absl::string_view> ExactNumberAt(lua_State* lua, int index);
// Pushes the nearest number of Lua's; nil when there is none.
void PushRounded(lua_State* lua, absl::string_view text);

}  // namespace bdcsync::script
