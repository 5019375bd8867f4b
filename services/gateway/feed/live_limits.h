// Limits of presence and broadcasts (bus_live_channel.h). Values only.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace bdcsync::gateway {

struct LiveLimits {
  absl::Duration repeat_interval = absl::Seconds(20);
  absl::Duration expire_after = absl::Seconds(70);            // Three repetitions and a little.
  absl::Duration answer_after_max = absl::Milliseconds(100);  // Spreads answers to who asks.
  size_t presences_per_space_max = 10'000;
  absl::Duration ready_wait_max =
      absl::Seconds(1);  // For the bus to let a new space's messages in.
};

}  // namespace bdcsync::gateway
