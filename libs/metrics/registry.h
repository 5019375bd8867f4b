// The metrics of a process. Names are bdcsync_<service>_<noun>_<unit>[_total]; labels come from
// closed sets, never ids. Counters, gauges and histograms are atomics: cheap and safe on any
// thread. What Add* returns lives as long as the registry; adding the same name and labels again
// returns the same metric.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bdcsync::metrics {

struct MetricInfo {
  absl::string_view name;
  absl::string_view help;  // One sentence.
};

using Labels = std::map<std::string, std::string>;

// Only goes up.
class Counter {
 public:
  void Add(double by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `buckets`: upper bounds, ascending; a last one without bound is implied.
  explicit Histogram(std::vector<double> buckets);
  void Observe(double value);
  // In seconds, the unit of every duration metric.
  void Observe(absl::Duration value) { Observe(absl::ToDoubleSeconds(value)); }
  uint64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  const std::vector<double>& buckets() const { return buckets_; }
  // Observations in bucket `i` alone, not those below it.
  uint64_t count_in(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }

 private:
  const std::vector<double> buckets_;
  std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// 100 µs to 10 s, for requests.
std::vector<double> LatencyBuckets();
// 1, 2, 4 … 4096, for batches.
std::vector<double> SizeBuckets();

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // A name that is in use with another type, help or buckets is a bug and ends the process.
  Counter& AddCounter(const MetricInfo& info, const Labels& labels = {});
  Gauge& AddGauge(const MetricInfo& info, const Labels& labels = {});
  Histogram& AddHistogram(const MetricInfo& info, std::vector<double> buckets,
                          const Labels& labels = {});
  // `value` is called at each Render, on its thread; it must be quick and valid until the last one.
  // Only once for the same name and labels.
  void AddGaugeCallback(const MetricInfo& info, const Labels& labels,
                        std::function<double()> value);
  // The same for a number that only goes up and is counted elsewhere.
  void AddCounterCallback(const MetricInfo& info, const Labels& labels,
                          std::function<double()> value);

  // All metrics in the Prometheus text exposition format.
  std::string Render() const;
  // All names, sorted, for the golden list.
  std::vector<std::string> names() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bdcsync::metrics
