// The conflict that a meeting opens: who asks, where, until when, and what is chosen then. Pure.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/decision.h"

namespace bdcsync::conflict {

// More open places, or longer paths (told_apart.h), become one for the whole value.
inline constexpr size_t kOpenPlacesMax = 64;

// Stands for the operation, so that one that is decided again opens the same conflict: the first
// half of the SHA-256 of space, NUL and op_id, as 32 hexadecimal digits.
std::string ConflictIdOf(absl::string_view space, absl::string_view op_id);
// "conflict/<conflict_id>".
std::string BranchOf(absl::string_view conflict_id);

struct OpeningDefaults {
  int64_t now_ms = 0;
  absl::Duration deadline;
  merge::Pick fallback = merge::Pick::kProposed;
};

// All but the rule set's version and the places' decisions: places with their fallbacks, one for
// each of `open` or one for the whole value. The deadline is the earliest of the places, and the
// first that names a user assigns all.
v1::Conflict OpeningOf(const v1::ResolveItem& item, const std::vector<merge::Decision>& open,
                       const OpeningDefaults& defaults);

}  // namespace bdcsync::conflict
