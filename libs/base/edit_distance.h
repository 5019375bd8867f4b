// How far two words are apart: Levenshtein's distance, the fewest bytes to insert, delete or
// replace. Thread-safe: a function only.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace bdcsync {

// Takes time by the product of both lengths.
std::size_t EditDistance(absl::string_view a, absl::string_view b);

}  // namespace bdcsync
