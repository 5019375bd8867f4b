// Linked into every program of the tsan preset: the end of a shared absl::Status, as Abseil writes
// it, but compiled here. ThreadSanitizer does not see the counting in the packaged library, so that
// one thread's reading of a status and its deletion by another, the last to hold it, would be
// reported as a race.
#include <atomic>

#include "absl/status/status.h"

namespace absl {
ABSL_NAMESPACE_BEGIN

void Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}

ABSL_NAMESPACE_END
}  // namespace absl
