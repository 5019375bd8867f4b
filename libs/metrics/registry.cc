#include "libs/metrics/registry.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::metrics {
namespace {

constexpr double kLatencySeconds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                      0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
constexpr double kSizeMax = 4096;

[[noreturn]] void Die(const std::string& name, const char* problem) {
  std::fprintf(stderr, "bug: metric %s %s\n", name.c_str(), problem);
  std::abort();
}

// One metric of a family: the one of its kind that is set.
struct Series {
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> callback;
};

struct Family {
  std::string help;
  prometheus::MetricType type = prometheus::MetricType::Untyped;
  std::map<Labels, Series> series;  // Nodes stay where they are.
};

void Fill(const Histogram& from, prometheus::ClientMetric::Histogram& to) {
  uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= from.buckets().size(); ++i) {
    cumulative += from.count_in(i);
    const double bound =
        i < from.buckets().size() ? from.buckets()[i] : std::numeric_limits<double>::infinity();
    to.bucket.push_back({cumulative, bound});
  }
  to.sample_count = cumulative;
  to.sample_sum = from.sum();
}

prometheus::ClientMetric Collect(const Labels& labels, const Series& series,
                                 prometheus::MetricType type) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  if (series.histogram != nullptr) {
    Fill(*series.histogram, metric.histogram);
    return metric;
  }
  const double value = series.callback             ? series.callback()
                       : series.counter != nullptr ? series.counter->value()
                                                   : series.gauge->value();
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  return metric;
}

}  // namespace

Histogram::Histogram(std::vector<double> buckets)
    : buckets_(std::move(buckets)),
      counts_(std::make_unique<std::atomic<uint64_t>[]>(buckets_.size() + 1)) {}

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(buckets_.begin(), buckets_.end(), value);
  counts_[bound - buckets_.begin()].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (std::size_t i = 0; i <= buckets_.size(); ++i) total += count_in(i);
  return total;
}

std::vector<double> LatencyBuckets() {
  return {std::begin(kLatencySeconds), std::end(kLatencySeconds)};
}

std::vector<double> SizeBuckets() {
  std::vector<double> buckets;
  for (double bound = 1; bound <= kSizeMax; bound *= 2) buckets.push_back(bound);
  return buckets;
}

struct Registry::State {
  Series& Find(const MetricInfo& info, const Labels& labels, prometheus::MetricType type)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const std::string name(info.name);
    const auto [family, created] = families.try_emplace(name);
    if (created) {
      family->second.help = std::string(info.help);
      family->second.type = type;
    } else if (family->second.type != type || info.help != family->second.help) {
      Die(name, "is declared twice, and not in the same way");
    }
    return family->second.series[labels];
  }

  mutable absl::Mutex mutex;
  std::map<std::string, Family> families ABSL_GUARDED_BY(mutex);
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::AddCounter(const MetricInfo& info, const Labels& labels) {
  absl::MutexLock lock(&state_->mutex);
  Series& series = state_->Find(info, labels, prometheus::MetricType::Counter);
  if (series.callback) Die(std::string(info.name), "is counted elsewhere");
  if (series.counter == nullptr) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Registry::AddGauge(const MetricInfo& info, const Labels& labels) {
  absl::MutexLock lock(&state_->mutex);
  Series& series = state_->Find(info, labels, prometheus::MetricType::Gauge);
  if (series.callback) Die(std::string(info.name), "is counted elsewhere");
  if (series.gauge == nullptr) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& Registry::AddHistogram(const MetricInfo& info, std::vector<double> buckets,
                                  const Labels& labels) {
  if (!std::is_sorted(buckets.begin(), buckets.end())) {
    Die(std::string(info.name), "has buckets that do not ascend");
  }
  absl::MutexLock lock(&state_->mutex);
  Series& series = state_->Find(info, labels, prometheus::MetricType::Histogram);
  if (series.histogram == nullptr) {
    series.histogram = std::make_unique<Histogram>(std::move(buckets));
  } else if (series.histogram->buckets() != buckets) {
    Die(std::string(info.name), "is declared twice, with other buckets");
  }
  return *series.histogram;
}

void Registry::AddGaugeCallback(const MetricInfo& info, const Labels& labels,
                                std::function<double()> value) {
  absl::MutexLock lock(&state_->mutex);
  Series& series = state_->Find(info, labels, prometheus::MetricType::Gauge);
  if (series.gauge != nullptr || series.callback)
    Die(std::string(info.name), "has a value already");
  series.callback = std::move(value);
}

void Registry::AddCounterCallback(const MetricInfo& info, const Labels& labels,
                                  std::function<double()> value) {
  absl::MutexLock lock(&state_->mutex);
  Series& series = state_->Find(info, labels, prometheus::MetricType::Counter);
  if (series.counter != nullptr || series.callback) {
    Die(std::string(info.name), "has a value already");
  }
  series.callback = std::move(value);
}

std::string Registry::Render() const {
  // Families and series never move or go away, so callbacks run without the lock.
  std::vector<prometheus::MetricFamily> collected;
  std::vector<std::vector<std::pair<const Labels*, const Series*>>> series;
  {
    absl::MutexLock lock(&state_->mutex);
    for (const auto& [name, family] : state_->families) {
      prometheus::MetricFamily& out = collected.emplace_back();
      out.name = name;
      out.help = family.help;
      out.type = family.type;
      auto& members = series.emplace_back();
      for (const auto& [labels, one] : family.series) members.emplace_back(&labels, &one);
    }
  }
  for (std::size_t i = 0; i < collected.size(); ++i) {
    for (const auto& [labels, one] : series[i]) {
      collected[i].metric.push_back(Collect(*labels, *one, collected[i].type));
    }
  }
  return prometheus::TextSerializer().Serialize(collected);
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> names;
  absl::MutexLock lock(&state_->mutex);
  for (const auto& [name, family] : state_->families) names.push_back(name);
  return names;
}

}  // namespace bdcsync::metrics
