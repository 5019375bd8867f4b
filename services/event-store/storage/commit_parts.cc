#include "services/event-store/storage/commit_parts.h"

#include <algorithm>

#include "libs/base/status.h"

namespace bdcsync::event_store {

std::size_t FirstHalf(absl::Span<const LogWrite> writes) {
  std::size_t events = 0;
  for (const LogWrite& write : writes) events += write.events.size();
  if (events < kHalvedEventsMin) return writes.size();
  std::size_t first = 0;
  std::size_t before = 0;
  // A log goes where more of it lies.
  while (first < writes.size() && 2 * before + writes[first].events.size() <= events) {
    before += writes[first++].events.size();
  }
  return std::min(before, events - before) < kHalfEventsMin ? writes.size() : first;
}

absl::Status Reconcile(absl::Span<PartOfCommit> parts) {
  bool any_applied = false;
  absl::Status wrong;
  for (const PartOfCommit& part : parts) {
    any_applied = any_applied || part.applied.ok();
    if (part.applied.ok()) continue;
    // Nobody knows what was applied of the others: that counts before all else.
    if (!absl::IsAlreadyExists(part.applied.status())) return part.applied.status();
    wrong = part.applied.status();
  }
  if (!any_applied) return wrong;
  for (PartOfCommit& part : parts) {
    if (!part.applied.ok()) part.applied = std::vector<bool>(part.writes, false);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<bool>> Join(std::vector<PartOfCommit> parts) {
  RETURN_IF_ERROR(Reconcile(absl::MakeSpan(parts)));
  std::vector<bool> applied;
  for (const PartOfCommit& part : parts) {
    applied.insert(applied.end(), part.applied->begin(), part.applied->end());
  }
  return applied;
}

}  // namespace bdcsync::event_store
