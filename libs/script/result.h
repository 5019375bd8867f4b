// What a script returned, as JSON: checked, since a script can return anything. Internal to
// libs/script. Not thread-safe: works on a Lua state.
#pragma once

#include <cstddef>
#include <lua.hpp>

#include "absl/status/statusor.h"
#include "libs/json/value.h"
#include "libs/script/limits.h"
#include "libs/script/values.h"

namespace bdcsync::script {

// Reads the value at `index`, which must not be nil. Fails with kOutput or kResult (failure.h),
// naming the place; raises a Lua error when the budget is used up. Members are sorted by key.
absl::StatusOr<json::Value> ReadResult(lua_State* lua, int index, const Digits& digits,
                                       const Limits& limits);

}  // namespace bdcsync::script
