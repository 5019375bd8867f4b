// What an operation becomes when another was done to the same document first. For any two:
//   a, then Transform(a, b, kThis)  =  b, then Transform(b, a, kOther).
// Of two insertions at one place, that of the side with priority stands first. Thread-safe.
#pragma once

#include <cstdint>

#include "libs/ot/attributes.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// `other` as it is to be done after `change`.
Delta Transform(const Delta& change, const Delta& other, Priority priority);

// Where the place before unit `position` of the document, as a cursor is, comes to be. What is
// inserted right there pushes it to the right, unless it has priority (kThis means that the place
// stays).
int64_t TransformPosition(const Delta& change, int64_t position, Priority priority);

}  // namespace bdcsync::ot
