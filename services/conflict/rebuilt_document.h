// The least documents that hold the places of a record, so that the record can be merged again:
// what neither side had touched is not in them. Pure. Not thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "services/conflict/meeting.h"

namespace bdcsync::conflict {

// Puts `value` (nothing: it does not exist) at a decision's path, with what it takes to get there:
// objects, and elements of keyed lists ("id=7"). False when something else is in the way.
bool PutAt(absl::string_view path, Document value, Document& document);

// The value at a decision's path; nullptr: it does not exist. Adds to `steps`, when there, what it
// took: the bytes of the path, and the elements of lists that were looked at.
const json::Value* FindAt(absl::string_view path, const Document& document,
                          size_t* steps = nullptr);

}  // namespace bdcsync::conflict
