// How many random cases the laws of a library are tried on. For tests.
#pragma once

#include <cstdint>

namespace bdcsync::testing {

// BDC_SYNC_PROPERTY_CASES, or 20,000 in all that CI runs.
uint64_t PropertyCases();

}  // namespace bdcsync::testing
