// Time, injected. Wall time is for people and records; monotonic time is for intervals and
// deadlines. Both clocks are thread-safe.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bdcsync {

class Clock {
 public:
  virtual ~Clock() = default;
  // The time of day, UTC. May jump in either direction.
  virtual absl::Time Now() const = 0;
  // Time since an arbitrary start. Never goes back.
  virtual absl::Duration Monotonic() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
};

// A clock for tests that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start) : now_(start) {}
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
  // Moves both clocks ahead by `by`.
  void Advance(absl::Duration by);
  // Sets the time of day only, as an operator or NTP would.
  void SetNow(absl::Time now);

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync
