// What the worker counts. Thread-safe.
#pragma once

#include "libs/metrics/registry.h"

namespace bdcsync::gateway {

class ConflictWorkerMetrics {
 public:
  explicit ConflictWorkerMetrics(metrics::Registry& registry);

  metrics::Counter& rounds;
  metrics::Counter& failed_rounds;     // The conflict service gave no list.
  metrics::Gauge& due;                 // In the last list.
  metrics::Counter& expired;           // Closed here with their fallbacks.
  metrics::Counter& checked;           // Compared with the log; nothing had to be closed by it.
  metrics::Counter& superseded;        // Closed here because nothing was left to decide.
  metrics::Counter& closed_elsewhere;  // Somebody was first.
  metrics::Counter& failures;          // Conflicts that stay due.
  metrics::Histogram& lag;             // From a deadline to its fallbacks.
};

}  // namespace bdcsync::gateway
