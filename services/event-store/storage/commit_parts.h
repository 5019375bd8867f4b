// A commit as several that ran apart: writes to different logs know nothing of each other. Pure
// functions.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace bdcsync::event_store {

// What became of some of the writes.
struct PartOfCommit {
  std::size_t writes = 0;
  absl::StatusOr<std::vector<bool>> applied;  // As EventStorage::Commit answers.
};

// What became of the whole. A part that assumed wrong while another was applied counts as not
// applied: it is planned again by itself, and then told what it assumed wrong.
absl::Status Reconcile(absl::Span<PartOfCommit> parts);

}  // namespace bdcsync::event_store
