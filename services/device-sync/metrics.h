// What device-sync counts beside the calls themselves, which the gRPC server counts. Thread-safe.
#pragma once

#include "libs/metrics/registry.h"

namespace bdcsync::device_sync {

class Metrics {
 public:
  // `registry` is borrowed and must outlive this.
  explicit Metrics(metrics::Registry& registry);

  metrics::Counter& heartbeats_noted;
  metrics::Counter& heartbeats_skipped;  // Of devices that their user does not have; or repeated.
  metrics::Counter& revocations;
  metrics::Counter& purges;
  metrics::Histogram& registration_batch_items;
  metrics::Histogram& heartbeat_batch_items;
  metrics::Histogram& cursor_batch_items;
};

}  // namespace bdcsync::device_sync
