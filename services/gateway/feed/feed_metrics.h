// What the feed counts. Thread-safe: atomics of the process's registry, shared by all loops.
#pragma once

#include "libs/metrics/registry.h"

namespace bdcsync::gateway {

class FeedMetrics {
 public:
  explicit FeedMetrics(metrics::Registry& registry);

  metrics::Gauge& spaces;
  metrics::Gauge& subscriptions;
  metrics::Gauge& recent_bytes;
  metrics::Counter& events_received;  // From the bus, new.
  metrics::Counter& events_repeated;  // From the bus, known already.
  metrics::Counter& holes;            // Found in what the bus brought.
  metrics::Counter& pages_read;
  metrics::Counter& read_failures;
  metrics::Counter& changes_delivered;
  metrics::Counter& conflicts_delivered;
  metrics::Counter& batches_delivered;
  metrics::Counter& stalls;  // A sink had no room.
  metrics::Counter& resyncs;
  metrics::Histogram& delivery_delay;  // Of the oldest event in a Flush, since its commit.
};

}  // namespace bdcsync::gateway
