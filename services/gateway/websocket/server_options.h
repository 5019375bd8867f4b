// What the listener is told by the configuration; the names of the keys stand beside the fields.
// Values only.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace bdcsync::gateway {

struct ServerOptions {
  std::string listen_address = "127.0.0.1";               // listen_address
  int port = 0;                                           // websocket.port; 0: any free one
  int threads = 1;                                        // websocket.threads
  size_t connections_max = 100'000;                       // websocket.max_connections
  size_t message_bytes_max = 1 << 20;                     // websocket.max_message_size
  absl::Duration handshake_timeout = absl::Seconds(10);   // websocket.handshake_timeout
  absl::Duration heartbeat_interval = absl::Seconds(30);  // websocket.heartbeat_interval, at start
  bool compression_enabled = false;                       // websocket.compression_enabled
  size_t compression_threshold_bytes = 1 << 10;           // websocket.compression_threshold_bytes
  std::vector<std::string> allowed_origins;               // security.allowed_origins; empty: any
  std::string tls_cert_file;                              // websocket.tls.cert_file; empty: no TLS
  std::string tls_key_file;                               // websocket.tls.key_file
  // Outgoing bytes per connection: OnDrained after having been above high and then below low; above
  // max the connection is closed with 4430.
  size_t queued_bytes_low = 64 << 10;               // websocket.queued_bytes_low
  size_t queued_bytes_high = 1 << 20;               // websocket.queued_bytes_high
  size_t queued_bytes_max = 16 << 20;               // websocket.queued_bytes_max
  absl::Duration close_timeout = absl::Seconds(5);  // websocket.close_timeout
};

}  // namespace bdcsync::gateway
