// When a version was written, as far as that can be known: by its maker's clock, held between what
// is certain. So `lww` lets the later writer win, not the later network, and no clock can put a
// version before the one it was made from. Pure. Thread-safe.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/rule.h"

namespace bdcsync::conflict {

// Milliseconds since 1970. The client's clock where it gave one, not above the commit, not below
// `base_ms`; without one the commit. A version that is not committed yet is committed now.
int64_t HybridTimeMs(const v1::Side& side, int64_t base_ms, int64_t now_ms);

struct WriteOrder {
  merge::Side later = merge::Side::kOurs;  // Of two at one time ours, which is committed later.
  // Clocks of clients may have decided: the times are nearer to each other than those may differ.
  bool close_call = false;
};
WriteOrder OrderOf(const v1::Side& base, const v1::Side& theirs, const v1::Side& ours,
                   int64_t now_ms, absl::Duration clock_skew_max);

}  // namespace bdcsync::conflict
