#include "services/event-store/storage/commit_parts.h"

namespace bdcsync::event_store {

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

}  // namespace bdcsync::event_store
