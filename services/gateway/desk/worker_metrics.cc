#include "services/gateway/desk/worker_metrics.h"

#include <vector>

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kRounds{"bdcsync_gateway_conflict_rounds_total",
                                      "Times that the worker asked which conflicts are due."};
constexpr metrics::MetricInfo kFailedRounds{
    "bdcsync_gateway_conflict_rounds_failed_total",
    "Of those, the ones that the conflict service did not answer."};
constexpr metrics::MetricInfo kDue{"bdcsync_gateway_conflicts_due",
                                   "Conflicts in the last answer that need a look."};
constexpr metrics::MetricInfo kDone{"bdcsync_gateway_conflicts_done_total",
                                    "Conflicts that the worker looked at, by what came of it."};
constexpr metrics::MetricInfo kLag{"bdcsync_gateway_conflict_lag_seconds",
                                   "From the deadline of a conflict to its fallbacks."};

// A worker that wakes in time needs milliseconds; one that was away, minutes.
std::vector<double> LagBuckets() { return {0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 600, 3600}; }

}  // namespace

ConflictWorkerMetrics::ConflictWorkerMetrics(metrics::Registry& registry)
    : rounds(registry.AddCounter(kRounds)),
      failed_rounds(registry.AddCounter(kFailedRounds)),
      due(registry.AddGauge(kDue)),
      expired(registry.AddCounter(kDone, {{"result", "expired"}})),
      checked(registry.AddCounter(kDone, {{"result", "checked"}})),
      superseded(registry.AddCounter(kDone, {{"result", "superseded"}})),
      closed_elsewhere(registry.AddCounter(kDone, {{"result", "closed_elsewhere"}})),
      failures(registry.AddCounter(kDone, {{"result", "failed"}})),
      lag(registry.AddHistogram(kLag, LagBuckets())) {}

}  // namespace bdcsync::gateway
