#include "libs/base/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace bdcsync {

absl::Time SystemClock::Now() const { return absl::Now(); }

absl::Duration SystemClock::Monotonic() const {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::Time ManualClock::Now() const {
  absl::MutexLock lock(&mutex_);
  return now_;
}

absl::Duration ManualClock::Monotonic() const {
  absl::MutexLock lock(&mutex_);
  return monotonic_;
}

void ManualClock::Advance(absl::Duration by) {
  absl::MutexLock lock(&mutex_);
  now_ += by;
  monotonic_ += by;
}

void ManualClock::SetNow(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  now_ = now;
}

}  // namespace bdcsync
