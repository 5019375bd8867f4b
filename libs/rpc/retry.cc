#include "libs/rpc/retry.h"

#include <algorithm>

namespace bdcsync::rpc {

absl::Duration Backoff::Next(Random& random) {
  const absl::Duration wait = ceiling_ * random.Fraction();
  ceiling_ = std::min(options_.max, ceiling_ * options_.multiplier);
  return wait;
}

void RetryBudget::OnCall() {
  absl::MutexLock lock(&mutex_);
  tokens_ = std::min(burst_, tokens_ + ratio_);
}

bool RetryBudget::Take() {
  absl::MutexLock lock(&mutex_);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace bdcsync::rpc
