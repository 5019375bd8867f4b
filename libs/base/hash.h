// A hash whose value never changes between versions, machines or runs, for what is stored or routed
// by it: spaces onto logs, requests onto replicas. Not for keys chosen by an adversary.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace bdcsync {

// 64-bit FNV-1a over `bytes`, finished with the mixer of MurmurHash3 so that all bits depend on all
// of the input. `seed` chains hashes of several parts.
uint64_t StableHash64(absl::string_view bytes, uint64_t seed = 0);

// For long texts: the core of MurmurHash64A, eight bytes at a time, with the same finish. Its
// values are not those of StableHash64.
uint64_t StableHash64OfText(absl::string_view bytes, uint64_t seed = 0);

}  // namespace bdcsync
