// The WebSocket listener: accepts, performs the handshake (TLS, limits, origin, subprotocol), and
// gives every connection to a handler on one of a fixed set of loops, one thread each. Nothing a
// peer sends or leaves unsent holds more than bounded memory for a bounded time. The methods of the
// server are called from one thread; those of connections run on their loop.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/log/logger.h"
#include "services/gateway/session/connection.h"
#include "services/gateway/session/loop.h"
#include "services/gateway/websocket/server_options.h"

namespace bdcsync::app {
class TlsFiles;
}  // namespace bdcsync::app

namespace bdcsync::gateway {

class TransportMetrics;

class WebSocketServer {
 public:
  virtual ~WebSocketServer() = default;
  // The loops, already running, for what must exist before the first connection. Valid until the
  // server is destroyed.
  virtual const std::vector<Loop*>& loops() const = 0;
  // What new connections are made from, to be reloaded when its files change; null without TLS.
  virtual app::TlsFiles* tls() = 0;
  // Changes websocket.heartbeat_interval, for all connections. Any thread.
  virtual void SetHeartbeatInterval(absl::Duration interval) = 0;
  // Listens. One factory per loop, in the order of loops(); each runs on its loop's thread.
  //   FAILED_PRECONDITION  the address or port is taken.
  //   INVALID_ARGUMENT     no such address.
  virtual absl::Status Start(std::vector<HandlerFactory> factories) = 0;
  // The port that is listened on; 0 before Start.
  virtual int port() const = 0;
  virtual size_t connections() const = 0;
  // Accepts no more and calls OnShutdown of every handler. Returns when all connections are gone,
  // or at `deadline`, when the rest is cut. Handlers and what they use must live until then.
  virtual void Drain(absl::Time deadline) = 0;
};

// Reads the TLS files and starts the loops. `clock`, `metrics` and `logger` are borrowed.
//   INVALID_ARGUMENT  the certificate or key cannot be read, or they do not belong together.
absl::StatusOr<std::unique_ptr<WebSocketServer>> MakeWebSocketServer(ServerOptions options,
                                                                     const Clock& clock,
                                                                     TransportMetrics& metrics,
                                                                     const log::Logger& logger);

}  // namespace bdcsync::gateway
