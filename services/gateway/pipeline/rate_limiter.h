// How many operations per second each key (a user's device) may submit: a token bucket per key, in
// a bounded table. Thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace bdcsync::gateway {

struct RateLimits {
  double per_second = 10000;  // limits.operations_per_s
  double burst = 20000;       // limits.operations_burst
  size_t keys_max = 100'000;
};

class RateLimiter {
 public:
  // `clock` is borrowed.
  RateLimiter(const Clock& clock, RateLimits limits) : clock_(clock), limits_(limits) {}

  // Takes `count` tokens from `key`'s bucket, all or none. A count above the burst is let through
  // when the bucket is full, and leaves a debt. kRateLimited says when to come back.
  absl::Status Take(absl::string_view key, size_t count);
  // The limits from now on.
  void SetLimits(double per_second, double burst);

 private:
  struct Bucket {
    double tokens;
    absl::Duration filled;  // Monotonic.
  };
  void Fill(Bucket& bucket, absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  absl::Mutex mutex_;
  RateLimits limits_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::gateway
