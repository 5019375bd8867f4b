#include "services/gateway/spool/spool_metrics.h"

#include <algorithm>

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kOldest{"bdcsync_gateway_spool_oldest_seconds",
                                      "How long the oldest stored operation has waited."};
constexpr metrics::MetricInfo kWaiting{"bdcsync_gateway_spool_waiting",
                                       "Stored operations that wait for the version service."};
constexpr metrics::MetricInfo kParked{"bdcsync_gateway_spool_parked",
                                      "Stored operations that were refused and are kept."};
constexpr metrics::MetricInfo kBytes{"bdcsync_gateway_spool_bytes", "Payload of the spool."};
constexpr metrics::MetricInfo kStored{"bdcsync_gateway_spool_stored_total",
                                      "Operations stored for later."};
constexpr metrics::MetricInfo kDrained{"bdcsync_gateway_spool_drained_total",
                                       "Stored operations that were committed."};
constexpr metrics::MetricInfo kRefused{"bdcsync_gateway_spool_refused_total",
                                       "Stored operations that were refused and parked."};
constexpr metrics::MetricInfo kUnauthorised{
    "bdcsync_gateway_spool_unauthorised_total",
    "Stored operations that their senders might not commit any more."};
constexpr metrics::MetricInfo kRetried{"bdcsync_gateway_spool_retried_total",
                                       "Parked operations that an operator sent once more."};
constexpr metrics::MetricInfo kDiscarded{"bdcsync_gateway_spool_discarded_total",
                                         "Parked operations that an operator deleted."};
constexpr metrics::MetricInfo kFull{"bdcsync_gateway_spool_full_total",
                                    "Operations that could not be stored."};
constexpr metrics::MetricInfo kFailedAttempts{
    "bdcsync_gateway_spool_failed_attempts_total",
    "Calls of the version service that did not commit what was stored."};

}  // namespace

SpoolMetrics::SpoolMetrics(metrics::Registry& registry, const Clock& clock)
    : waiting(registry.AddGauge(kWaiting)),
      parked(registry.AddGauge(kParked)),
      bytes(registry.AddGauge(kBytes)),
      stored(registry.AddCounter(kStored)),
      drained(registry.AddCounter(kDrained)),
      refused(registry.AddCounter(kRefused)),
      unauthorised(registry.AddCounter(kUnauthorised)),
      retried(registry.AddCounter(kRetried)),
      discarded(registry.AddCounter(kDiscarded)),
      full(registry.AddCounter(kFull)),
      failed_attempts(registry.AddCounter(kFailedAttempts)) {
  registry.AddGaugeCallback(kOldest, {}, [this, &clock] {
    const int64_t oldest = oldest_ms.load();
    if (oldest == 0) return 0.0;
    const absl::Duration age = clock.Now() - absl::FromUnixMillis(oldest);
    return std::max(absl::ToDoubleSeconds(age), 0.0);
  });
}

}  // namespace bdcsync::gateway
