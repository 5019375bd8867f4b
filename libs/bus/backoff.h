// Waits between attempts: each twice the one before, up to a maximum, spread by ±50 % so that many
// clients of one server do not return in step. Not thread-safe.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "libs/base/ids.h"

namespace bdcsync::bus {

class Backoff {
 public:
  Backoff(absl::Duration min, absl::Duration max, Random& random)
      : min_(min), max_(max), random_(random), next_(min) {}

  absl::Duration Next() {
    const absl::Duration wait = next_ * (0.5 + random_.Fraction());
    next_ = std::min(next_ * 2, max_);
    return wait;
  }
  void Reset() { next_ = min_; }

 private:
  const absl::Duration min_;
  const absl::Duration max_;
  Random& random_;
  absl::Duration next_;
};

}  // namespace bdcsync::bus
