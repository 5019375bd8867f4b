// What the spool counts, and what it holds now. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "libs/base/clock.h"
#include "libs/metrics/registry.h"

namespace bdcsync::gateway {

class SpoolMetrics {
 public:
  // `clock` is borrowed and must outlive the registry's last Render, like this object.
  SpoolMetrics(metrics::Registry& registry, const Clock& clock);

  std::atomic<int64_t> oldest_ms{0};  // When the oldest waiting item came; 0: none waits.
  metrics::Gauge& waiting;            // Groups of operations.
  metrics::Gauge& parked;
  metrics::Gauge& bytes;
  metrics::Counter& stored;
  metrics::Counter& drained;
  metrics::Counter& refused;          // Parked, dependants included.
  metrics::Counter& unauthorised;     // Of the refused: those not allowed any more.
  metrics::Counter& retried;          // Parked, and sent once more by an operator.
  metrics::Counter& discarded;        // Parked, and deleted by an operator.
  metrics::Counter& full;             // Not stored for want of room or disk.
  metrics::Counter& failed_attempts;  // Calls that nothing is known of.
};

}  // namespace bdcsync::gateway
