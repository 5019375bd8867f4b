// A rate limit: `per_second` on average, up to a second's worth at once. Not thread-safe.
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace bdcsync::gateway {

class TokenBucket {
 public:
  explicit TokenBucket(double per_second) : per_second_(per_second), tokens_(per_second) {}

  // Takes one token. False when there is none; `now` is monotonic.
  bool Take(absl::Duration now) {
    tokens_ = std::min(std::max(per_second_, 1.0),
                       tokens_ + absl::ToDoubleSeconds(now - last_) * per_second_);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // How long until there is one.
  absl::Duration Wait() const { return absl::Seconds(std::max(0.0, (1 - tokens_) / per_second_)); }

 private:
  double per_second_;
  double tokens_;
  absl::Duration last_;
};

}  // namespace bdcsync::gateway
