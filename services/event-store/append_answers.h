// Turns a decided and stored batch into answers and into what followers are told. Blocks on storage
// for the events that refusals and duplicates show. Functions only.
#pragma once

#include <vector>

#include "absl/types/span.h"
#include "services/event-store/batch_plan.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

// Larger commits are told without their events.
inline constexpr std::size_t kCommitEventBytesMax = 256 << 10;

// Fills the results of all items of `logs`; finishes none.
void FillResults(EventStorage& storage, absl::Span<BatchPlan::Log* const> logs);

// One commit for each space of `log` that got events.
std::vector<v1::SpaceCommit> CommitsOf(const BatchPlan::Log& log);

}  // namespace bdcsync::event_store
