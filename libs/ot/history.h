// Operations moved over what others did meanwhile, and taken back after it. Both are bounded: a
// long divergence is not transformed pair by pair (docs/ot.md). Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/ot/attributes.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// Beyond so many operations of one side, sides are composed before they are transformed.
inline constexpr size_t kTransformDistanceMax = 1000;

struct RebaseOptions {
  size_t transform_distance_max = kTransformDistanceMax;
  // kThis: at one place, what `theirs` inserted stands first.
  Priority priority = Priority::kThis;
};

// Both ways around lead to the same document: theirs, then `ours`; or ours, then `theirs`.
struct Rebased {
  std::vector<Delta> ours;    // To be done after theirs: one each, or one for all if composed.
  std::vector<Delta> theirs;  // To be done after ours: likewise.
  bool composed = false;
};

// Two histories that began with the same document, each in order. Whoever holds one of them must
// apply the counterpart that this returns: computing it with another distance may give another
// document. kInvalidArgument when the operations of one side cannot follow each other.
absl::StatusOr<Rebased> Rebase(absl::Span<const Delta> theirs, absl::Span<const Delta> ours,
                               const RebaseOptions& options = {});

// What takes `change` back, which was done to `document`, after the operations `later` that
// followed it: what others did stays. Errors as Invert and Rebase.
absl::StatusOr<Delta> Undo(const Delta& change, const Delta& document,
                           absl::Span<const Delta> later, const RebaseOptions& options = {});

}  // namespace bdcsync::ot
