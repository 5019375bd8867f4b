// One number per branch of an entity, for tables and lanes within a process: it differs from
// process to process, and two keys may have the same. Thread-safe.
#pragma once

#include <cstdint>

#include "absl/hash/hash.h"
#include "libs/entity/key.h"

namespace bdcsync::entity {

inline uint64_t HashOf(const KeyView& key) {
  return absl::HashOf(key.space, key.type, key.id, key.branch);
}

}  // namespace bdcsync::entity
