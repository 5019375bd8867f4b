// Everything that the gateway counts, by part. Thread-safe.
#pragma once

#include "libs/base/clock.h"
#include "libs/metrics/registry.h"
#include "services/gateway/desk/worker_metrics.h"
#include "services/gateway/feed/bus_live_channel.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/pipeline/pipeline_metrics.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/spool/spool_metrics.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {

struct Metrics {
  // Both are borrowed.
  Metrics(metrics::Registry& registry, const Clock& clock)
      : transport(registry),
        sessions(registry),
        pipeline(registry),
        feed(registry),
        live(registry),
        spool(registry, clock),
        conflicts(registry) {}

  TransportMetrics transport;
  SessionMetrics sessions;
  PipelineMetrics pipeline;
  FeedMetrics feed;
  LiveMetrics live;
  SpoolMetrics spool;
  ConflictWorkerMetrics conflicts;
};

}  // namespace bdcsync::gateway
