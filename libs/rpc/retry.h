// When to try again: exponential backoff with full jitter, and a budget that keeps retries a small
// share of calls. Backoff is for one thread; RetryBudget is thread-safe.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/ids.h"

namespace bdcsync::rpc {

struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(50);
  absl::Duration max = absl::Seconds(5);
  double multiplier = 2;
};

class Backoff {
 public:
  explicit Backoff(BackoffOptions options) : options_(options), ceiling_(options.initial) {}
  // How long to wait before the next attempt: uniform between zero and a ceiling that grows from
  // `initial` by `multiplier` up to `max`.
  absl::Duration Next(Random& random);
  // After a success.
  void Reset() { ceiling_ = options_.initial; }

 private:
  const BackoffOptions options_;
  absl::Duration ceiling_;
};

// Every call earns `ratio` of a retry, at most `burst` are saved up.
class RetryBudget {
 public:
  RetryBudget(double ratio, double burst) : ratio_(ratio), burst_(burst), tokens_(burst) {}
  // A first attempt was made.
  void OnCall();
  // Takes one retry; false when there is none.
  [[nodiscard]] bool Take();

 private:
  const double ratio_;
  const double burst_;
  absl::Mutex mutex_;
  double tokens_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
