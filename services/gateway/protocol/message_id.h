// The `id` of a client message: JSON text of a string or a number, to be echoed as it came. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::gateway {

inline constexpr size_t kIdBytesMax = 4096;  // Of `id`, as JSON text.

// What may be an id; empty for everything else, and for what is too long.
std::string MessageIdOf(const json::Value& id);

// The id of a message that cannot be read as a whole (nested too deep, half a surrogate pair, cut
// off): the last member `id` of the outermost object that is one. Whoever waits for the answer to
// a request knows it by that alone. Empty when there is none.
std::string SalvageMessageId(absl::string_view text);

}  // namespace bdcsync::gateway
