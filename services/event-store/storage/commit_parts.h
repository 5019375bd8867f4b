// A commit as several that may run apart: writes to different logs know nothing of each other. Pure
// functions.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

// Below these a second statement costs more than it saves: of the whole, and of the smaller half.
inline constexpr std::size_t kHalvedEventsMin = 128;
inline constexpr std::size_t kHalfEventsMin = 32;

// How many of `writes` are the first half, by events; all of them if it is not worth the trip.
std::size_t FirstHalf(absl::Span<const LogWrite> writes);

// What became of some of the writes.
struct PartOfCommit {
  std::size_t writes = 0;
  absl::StatusOr<std::vector<bool>> applied;  // As EventStorage::Commit answers.
};

// What became of the whole. A part that assumed wrong while another was applied counts as not
// applied: it is planned again by itself, and then told what it assumed wrong.
absl::Status Reconcile(absl::Span<PartOfCommit> parts);

// The same for parts that follow each other.
absl::StatusOr<std::vector<bool>> Join(std::vector<PartOfCommit> parts);

}  // namespace bdcsync::event_store
