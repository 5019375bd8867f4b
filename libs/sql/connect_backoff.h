// How long a client that could not connect waits before it tries again: every call fails at once
// meanwhile, instead of each of them waiting for a server that is away. Not thread-safe.
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace bdcsync::sql {

class ConnectBackoff {
 public:
  // Doubles from `min` to `max` with each failure. `clock` is borrowed.
  ConnectBackoff(absl::Duration min, absl::Duration max, const Clock& clock)
      : min_(min), max_(max), clock_(clock), next_(min), not_before_(clock.Monotonic()) {}

  bool MayTry() const { return clock_.Monotonic() >= not_before_; }
  void Connected() { next_ = min_; }
  void Failed() {
    not_before_ = clock_.Monotonic() + next_;
    next_ = std::min(next_ * 2, max_);
  }

 private:
  const absl::Duration min_;
  const absl::Duration max_;
  const Clock& clock_;
  absl::Duration next_;
  absl::Duration not_before_;
};

}  // namespace bdcsync::sql
