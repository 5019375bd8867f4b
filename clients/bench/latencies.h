// Collected latencies and their percentiles. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bdcsync::bench {

class Latencies {
 public:
  void Add(double ms) { values_.push_back(static_cast<float>(ms)); }
  std::size_t count() const { return values_.size(); }
  // The value that `fraction` of all do not exceed; 0 when there are none.
  double Percentile(double fraction) {
    if (values_.empty()) return 0;
    const auto at =
        std::min(values_.size() - 1,
                 static_cast<std::size_t>(fraction * static_cast<double>(values_.size())));
    std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(at),
                     values_.end());
    return values_[at];
  }

 private:
  std::vector<float> values_;
};

}  // namespace bdcsync::bench
