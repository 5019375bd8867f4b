#include "services/device-sync/metrics.h"

namespace bdcsync::device_sync {
namespace {

constexpr metrics::MetricInfo kHeartbeats{"bdcsync_device_sync_heartbeats_total",
                                          "Signs of life received, by what became of them."};
constexpr metrics::MetricInfo kBatchItems{"bdcsync_device_sync_batch_items",
                                          "Items in one batch of signs of life or positions."};

}  // namespace

Metrics::Metrics(metrics::Registry& registry)
    : heartbeats_noted(registry.AddCounter(kHeartbeats, {{"outcome", "noted"}})),
      heartbeats_skipped(registry.AddCounter(kHeartbeats, {{"outcome", "skipped"}})),
      heartbeat_batch_items(
          registry.AddHistogram(kBatchItems, metrics::SizeBuckets(), {{"kind", "heartbeat"}})),
      cursor_batch_items(
          registry.AddHistogram(kBatchItems, metrics::SizeBuckets(), {{"kind", "cursor"}})) {}

}  // namespace bdcsync::device_sync
