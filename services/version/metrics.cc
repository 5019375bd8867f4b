#include "services/version/metrics.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace bdcsync::version {
namespace {

constexpr metrics::MetricInfo kOperations{"bdcsync_version_operations_total",
                                          "Operations answered, by kind and outcome."};
constexpr metrics::MetricInfo kBatchItems{"bdcsync_version_batch_items",
                                          "Operations in one batch on its way to event-store."};
constexpr metrics::MetricInfo kMeetings{
    "bdcsync_version_meetings_total",
    "Operations that met changes they did not know and were put to conflict."};
constexpr metrics::MetricInfo kLostRaces{
    "bdcsync_version_lost_races_total",
    "Times that another writer was first on an entity, so that operations were made again."};
constexpr metrics::MetricInfo kQueueItems{"bdcsync_version_queue_items",
                                          "Operations that wait for a batch."};
constexpr metrics::MetricInfo kCacheHits{"bdcsync_version_head_cache_hits_total",
                                         "Heads that were in memory."};
constexpr metrics::MetricInfo kCacheMisses{"bdcsync_version_head_cache_misses_total",
                                           "Heads that had to be read."};
constexpr metrics::MetricInfo kCacheEvictions{"bdcsync_version_head_cache_evictions_total",
                                              "Heads that were dropped to make room."};
constexpr metrics::MetricInfo kCacheBytes{"bdcsync_version_head_cache_bytes",
                                          "Memory that the heads take."};

// "create" of OPERATION_KIND_CREATE.
std::string LabelOf(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

Metrics::Metrics(metrics::Registry& registry, const HeadCache& cache,
                 std::function<double()> queued)
    : batch_items_(registry.AddHistogram(kBatchItems, metrics::SizeBuckets())),
      meetings_(registry.AddCounter(kMeetings)),
      lost_races_(registry.AddCounter(kLostRaces)) {
  for (int kind = 1; kind < common::v1::OperationKind_ARRAYSIZE; ++kind) {
    for (int outcome = 1; outcome < common::v1::Outcome_ARRAYSIZE; ++outcome) {
      const auto kind_value = static_cast<common::v1::OperationKind>(kind);
      const auto outcome_value = static_cast<common::v1::Outcome>(outcome);
      operations_[kind][outcome] = &registry.AddCounter(
          kOperations,
          {{"kind", LabelOf(common::v1::OperationKind_Name(kind_value), "OPERATION_KIND_")},
           {"outcome", LabelOf(common::v1::Outcome_Name(outcome_value), "OUTCOME_")}});
    }
  }
  registry.AddGaugeCallback(kQueueItems, {}, std::move(queued));
  registry.AddCounterCallback(kCacheHits, {},
                              [&cache] { return static_cast<double>(cache.stats().hits); });
  registry.AddCounterCallback(kCacheMisses, {},
                              [&cache] { return static_cast<double>(cache.stats().misses); });
  registry.AddCounterCallback(kCacheEvictions, {},
                              [&cache] { return static_cast<double>(cache.stats().evictions); });
  registry.AddGaugeCallback(kCacheBytes, {},
                            [&cache] { return static_cast<double>(cache.stats().bytes); });
}

void Metrics::OnBatch(size_t operations) { batch_items_.Observe(static_cast<double>(operations)); }

void Metrics::OnAnswer(common::v1::OperationKind kind, common::v1::Outcome outcome) {
  const bool known = kind > 0 && kind < common::v1::OperationKind_ARRAYSIZE && outcome > 0 &&
                     outcome < common::v1::Outcome_ARRAYSIZE;
  if (known) operations_[kind][outcome]->Add();
}

void Metrics::OnMeetings(size_t meetings) { meetings_.Add(static_cast<double>(meetings)); }

void Metrics::OnLostRace() { lost_races_.Add(); }

}  // namespace bdcsync::version
