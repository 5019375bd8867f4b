#include "services/gateway/pipeline/rate_limiter.h"

#include <algorithm>

#include "libs/base/errors.h"

namespace bdcsync::gateway {

absl::Status RateLimiter::Take(absl::string_view key, size_t count) {
  const absl::Duration now = clock_.Monotonic();
  const double wanted = static_cast<double>(count);
  absl::MutexLock lock(&mutex_);
  auto bucket = buckets_.find(key);
  if (bucket == buckets_.end()) {
    if (buckets_.size() >= limits_.keys_max) MakeRoom(now);
    bucket = buckets_.emplace(std::string(key), Bucket{limits_.burst, now}).first;
  }
  Fill(bucket->second, now);
  const double needed = std::min(wanted, limits_.burst);
  if (bucket->second.tokens >= needed) {
    bucket->second.tokens -= wanted;
    return absl::OkStatus();
  }
  const double missing = needed - bucket->second.tokens;
  return MakeRetryableError(
      Reason::kRateLimited,
      absl::Ceil(absl::Seconds(missing / limits_.per_second), absl::Milliseconds(1)),
      "too many operations from this device");
}

void RateLimiter::SetLimits(double per_second, double burst) {
  absl::MutexLock lock(&mutex_);
  limits_.per_second = per_second;
  limits_.burst = burst;
}

void RateLimiter::Fill(Bucket& bucket, absl::Duration now) {
  const double earned = absl::ToDoubleSeconds(now - bucket.filled) * limits_.per_second;
  bucket.tokens = std::min(bucket.tokens + earned, limits_.burst);
  bucket.filled = now;
}

// A full bucket is worth as much as none. When all are in use, some key starts anew.
void RateLimiter::MakeRoom(absl::Duration now) {
  absl::erase_if(buckets_, [this, now](auto& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Fill(entry.second, now);
    return entry.second.tokens >= limits_.burst;
  });
  if (buckets_.size() >= limits_.keys_max) buckets_.erase(buckets_.begin());
}

}  // namespace bdcsync::gateway
