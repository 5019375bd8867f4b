// Whether the places of a meeting are told one by one, or all as one about the whole value: what is
// told goes in one message between services and is kept in one row. Pure. Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "libs/merge/decision.h"

namespace bdcsync::conflict {

// What the path of each place may take when as many are told as may be. Of few places it can be
// longer; names above many of them could make their paths as long as the document times their
// number.
inline constexpr size_t kToldPathBytes = 256;

// At most `places_max` of them, whose paths take no more than kToldPathBytes each on average over
// `places_max`.
bool AreToldApart(const std::vector<merge::Decision>& places, size_t places_max);

}  // namespace bdcsync::conflict
