#include "services/device-sync/metrics.h"

namespace bdcsync::device_sync {
namespace {

constexpr metrics::MetricInfo kHeartbeats{"bdcsync_device_sync_heartbeats_total",
                                          "Signs of life received, by what became of them."};
constexpr metrics::MetricInfo kRevocations{"bdcsync_device_sync_revocations_total",
                                           "Revocations of devices."};
constexpr metrics::MetricInfo kPurges{"bdcsync_device_sync_purges_total",
                                      "Receipts of devices that purged data."};
constexpr metrics::MetricInfo kBatchItems{"bdcsync_device_sync_batch_items",
                                          "Items in one batch of registrations, signs of life "
                                          "or positions."};

}  // namespace

Metrics::Metrics(metrics::Registry& registry)
    : heartbeats_noted(registry.AddCounter(kHeartbeats, {{"outcome", "noted"}})),
      heartbeats_skipped(registry.AddCounter(kHeartbeats, {{"outcome", "skipped"}})),
      revocations(registry.AddCounter(kRevocations)),
      purges(registry.AddCounter(kPurges)),
      registration_batch_items(
          registry.AddHistogram(kBatchItems, metrics::SizeBuckets(), {{"kind", "registration"}})),
      heartbeat_batch_items(
          registry.AddHistogram(kBatchItems, metrics::SizeBuckets(), {{"kind", "heartbeat"}})),
      cursor_batch_items(
          registry.AddHistogram(kBatchItems, metrics::SizeBuckets(), {{"kind", "cursor"}})) {}

}  // namespace bdcsync::device_sync
