// What the listener counts. Thread-safe.
#pragma once

#include <cstdint>

#include "libs/metrics/registry.h"

namespace bdcsync::gateway {

class TransportMetrics {
 public:
  explicit TransportMetrics(metrics::Registry& registry);

  // Counts a close by its code; codes outside the protocol count as "other".
  void CountClose(uint16_t code);

  metrics::Gauge& connections;
  metrics::Gauge& connections_max;
  metrics::Counter& accepted;
  metrics::Counter& refused_full;
  metrics::Counter& refused_origin;
  metrics::Counter& refused_request;
  metrics::Counter& refused_subprotocol;
  metrics::Counter& handshake_timeouts;
  metrics::Counter& accept_failures;
  metrics::Counter& messages_received;
  metrics::Counter& bytes_received;
  metrics::Counter& bytes_sent;
  metrics::Counter& uncompressed_bytes;
  metrics::Counter& compressed_bytes;
  metrics::Counter& writes;
  metrics::Counter& writes_blocked;

 private:
  metrics::Registry& registry_;
};

}  // namespace bdcsync::gateway
