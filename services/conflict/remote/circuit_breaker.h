// Keeps calls away from a peer that does not work. Closed: calls go out. Open, after too many
// failures: none does, until a wait with jitter has passed. Half-open: one call goes out as a
// probe; its success closes the breaker, its failure opens it again for twice as long.
// Thread-safe.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"

namespace bdcsync::conflict {

struct BreakerOptions {
  int failures_max = 5;                    // So many in a row open it.
  int failure_percent = 50;                // So many of the last kWindowCalls open it.
  absl::Duration wait = absl::Seconds(1);  // The first, ±50 %; each next is twice as long.
  absl::Duration wait_max = absl::Seconds(30);
};

class CircuitBreaker {
 public:
  enum class State { kClosed, kHalfOpen, kOpen };
  // Calls that the percentage is of; fewer say nothing.
  static constexpr std::size_t kWindowCalls = 20;

  // For one call.
  struct Permit {
    uint64_t era;
  };

  // `clock` and `random` are borrowed.
  CircuitBreaker(BreakerOptions options, const Clock& clock, Random& random);

  // Whether Admit would give a permit now.
  bool MayCall() const;
  // Leave to make one call, whose end must be told with Report. Nothing: do not call.
  [[nodiscard]] std::optional<Permit> Admit();
  // How a call ended. One that began before the breaker last changed says nothing.
  void Report(Permit permit, bool success);

  State state() const;

 private:
  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(bool success) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FailsTooMuch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayCallLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const BreakerOptions options_;
  const Clock& clock_;
  Random& random_;
  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kClosed;
  uint64_t era_ ABSL_GUARDED_BY(mutex_) = 0;  // Counts changes of the state.
  int failures_in_row_ ABSL_GUARDED_BY(mutex_) = 0;
  std::bitset<kWindowCalls> failed_ ABSL_GUARDED_BY(mutex_);  // The last calls, a ring.
  std::size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;             // Since it closed.
  absl::Duration next_wait_ ABSL_GUARDED_BY(mutex_);
  absl::Duration open_until_ ABSL_GUARDED_BY(mutex_);  // Monotonic.
};

// "closed", "half_open", "open".
absl::string_view BreakerStateName(CircuitBreaker::State state);

}  // namespace bdcsync::conflict
