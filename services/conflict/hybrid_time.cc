#include "services/conflict/hybrid_time.h"

#include <algorithm>

namespace bdcsync::conflict {

int64_t HybridTimeMs(const v1::Side& side, int64_t base_ms, int64_t now_ms) {
  const int64_t commit_ms = side.time_ms() > 0 ? side.time_ms() : now_ms;
  const int64_t written_ms =
      side.client_time_ms() > 0 ? std::min(side.client_time_ms(), commit_ms) : commit_ms;
  return std::max(written_ms, base_ms);
}

WriteOrder OrderOf(const v1::Side& base, const v1::Side& theirs, const v1::Side& ours,
                   int64_t now_ms, absl::Duration clock_skew_max) {
  // Of a base that does not exist nothing is known.
  const int64_t base_ms = base.time_ms() > 0 ? HybridTimeMs(base, 0, now_ms) : 0;
  // Theirs is committed, whether or not its time was told; a version whose commit has no time yet
  // is being committed with ours.
  const bool theirs_told = theirs.time_ms() > 0 || !theirs.version_id().empty();
  const int64_t theirs_ms = theirs_told ? HybridTimeMs(theirs, base_ms, now_ms) : base_ms;
  const int64_t ours_ms = HybridTimeMs(ours, base_ms, now_ms);
  WriteOrder order;
  order.later = ours_ms >= theirs_ms ? merge::Side::kOurs : merge::Side::kTheirs;
  const int64_t apart_ms = std::max(ours_ms, theirs_ms) - std::min(ours_ms, theirs_ms);
  const bool by_clients = theirs.client_time_ms() > 0 || ours.client_time_ms() > 0;
  order.close_call =
      theirs_told && by_clients && apart_ms < absl::ToInt64Milliseconds(clock_skew_max);
  return order;
}

}  // namespace bdcsync::conflict
