// Places of a document by the paths that decisions write: JSON pointers in which an element of a
// keyed list is named by its keys (`id=7`, `a=1,b="x"`), for its index differs between versions.
// Internal to the merge. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/pointer.h"
#include "libs/json/value.h"

namespace bdcsync::merge {

// The token of an element of a keyed list, the same however its numbers are written.
std::string KeyToken(const json::Value& element, const std::vector<std::string>& keys);
// The position of the element that `token` names; nothing when there is none.
std::optional<size_t> ElementAt(const json::Array& list, absl::string_view token);
// The value at the place; nullptr when there is none.
json::Value* FindPlace(json::Value& document, absl::Span<const std::string> tokens);

}  // namespace bdcsync::merge
