#include "services/gateway/feed/feed_metrics.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kSpaces{"bdcsync_gateway_feed_spaces",
                                      "Spaces that are followed for subscribers."};
constexpr metrics::MetricInfo kSubscriptions{"bdcsync_gateway_feed_subscriptions",
                                             "Subscriptions of sessions and watches."};
constexpr metrics::MetricInfo kRecentBytes{"bdcsync_gateway_feed_recent_bytes",
                                           "Memory held for recent events of spaces."};
constexpr metrics::MetricInfo kEventsReceived{"bdcsync_gateway_feed_events_received_total",
                                              "New events that the bus brought."};
constexpr metrics::MetricInfo kEventsRepeated{"bdcsync_gateway_feed_events_repeated_total",
                                              "Events that the bus brought again."};
constexpr metrics::MetricInfo kHoles{"bdcsync_gateway_feed_holes_total",
                                     "Holes in what the bus brought, closed by a read."};
constexpr metrics::MetricInfo kPagesRead{"bdcsync_gateway_feed_pages_read_total",
                                         "Pages of spaces that were read from the log."};
constexpr metrics::MetricInfo kReadFailures{"bdcsync_gateway_feed_read_failures_total",
                                            "Reads of the log that failed."};
constexpr metrics::MetricInfo kChangesDelivered{"bdcsync_gateway_feed_changes_delivered_total",
                                                "Events given to subscriptions."};
constexpr metrics::MetricInfo kConflictsDelivered{
    "bdcsync_gateway_feed_conflicts_delivered_total",
    "Openings and closings of conflicts given to subscriptions."};
constexpr metrics::MetricInfo kBatchesDelivered{"bdcsync_gateway_feed_batches_delivered_total",
                                                "Messages of events given to subscriptions."};
constexpr metrics::MetricInfo kStalls{
    "bdcsync_gateway_feed_stalls_total",
    "Times that a subscription had to wait because its session did not drain."};
constexpr metrics::MetricInfo kResyncs{"bdcsync_gateway_feed_resyncs_total",
                                       "Subscriptions told to start again from state."};
constexpr metrics::MetricInfo kDeliveryDelay{
    "bdcsync_gateway_feed_delivery_delay_seconds",
    "From the commit of the oldest event in a fan-out to it."};

}  // namespace

FeedMetrics::FeedMetrics(metrics::Registry& registry)
    : spaces(registry.AddGauge(kSpaces)),
      subscriptions(registry.AddGauge(kSubscriptions)),
      recent_bytes(registry.AddGauge(kRecentBytes)),
      events_received(registry.AddCounter(kEventsReceived)),
      events_repeated(registry.AddCounter(kEventsRepeated)),
      holes(registry.AddCounter(kHoles)),
      pages_read(registry.AddCounter(kPagesRead)),
      read_failures(registry.AddCounter(kReadFailures)),
      changes_delivered(registry.AddCounter(kChangesDelivered)),
      conflicts_delivered(registry.AddCounter(kConflictsDelivered)),
      batches_delivered(registry.AddCounter(kBatchesDelivered)),
      stalls(registry.AddCounter(kStalls)),
      resyncs(registry.AddCounter(kResyncs)),
      delivery_delay(registry.AddHistogram(kDeliveryDelay, metrics::LatencyBuckets())) {}

}  // namespace bdcsync::gateway
