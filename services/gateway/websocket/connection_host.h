// The connections of one loop: takes over accepted sockets, looks after their deadlines and
// heartbeats once per tick, shuts them down. Loop thread, but for the constructor and Stop's
// caller.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/log/logger.h"
#include "services/gateway/session/connection.h"
#include "services/gateway/websocket/asio_loop.h"
#include "services/gateway/websocket/frame_deflater.h"
#include "services/gateway/websocket/server_options.h"

namespace bdcsync::app {
class TlsFiles;
}  // namespace bdcsync::app

namespace bdcsync::gateway {

class TransportMetrics;

using TcpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// A connection, as its host sees it.
class HostedConnection : public Connection {
 public:
  // Begins the handshake.
  virtual void Start() = 0;
  // Checks deadlines and life. `now` is monotonic.
  virtual void Tick(absl::Duration now) = 0;
  // Tells the handler that the server stops; a connection that is still shaking hands is cut.
  virtual void Shutdown() = 0;
  // Cuts the connection now.
  virtual void Abort() = 0;

 protected:
  bool admitted_ = false;  // Counts as an open WebSocket.

 private:
  friend class ConnectionHost;
  size_t place_ = 0;  // In the host's list.
};

class ConnectionHost {
 public:
  // Everything is borrowed. `admit` says whether one more WebSocket may open, `gone` is told when a
  // connection is gone, and whether it had been admitted.
  struct Shared {
    const ServerOptions& options;
    const Clock& clock;
    TransportMetrics& metrics;
    const log::Logger& logger;
    const app::TlsFiles* tls;  // Null: no TLS.
    std::function<bool()> admit;
    std::function<void(bool admitted)> gone;
  };

  ConnectionHost(AsioLoop& loop, const Shared& shared)
      : loop_(loop),
        shared_(shared),
        heartbeat_interval_(shared.options.heartbeat_interval),
        deflater_(shared.metrics) {}

  // Begins to tick; connections get their handlers from `factory`.
  void Start(HandlerFactory factory);
  void Adopt(TcpSocket socket);
  // From the next tick on, for connections that are open too.
  void SetHeartbeatInterval(absl::Duration interval) {
    heartbeat_changed_ = heartbeat_changed_ || interval != heartbeat_interval_;
    heartbeat_interval_ = interval;
  }
  absl::Duration heartbeat_interval() const { return heartbeat_interval_; }
  // Since when it holds: silence before was silence under another one.
  absl::Duration heartbeat_since() const { return heartbeat_since_; }
  void Shutdown();
  void AbortAll();
  // Called by a connection when it is gone, once.
  void Remove(HostedConnection& connection);

  AsioLoop& loop() { return loop_; }
  const Shared& shared() const { return shared_; }
  const HandlerFactory& factory() const { return factory_; }
  // Monotonic time as of the last tick: coarse and free.
  absl::Duration now() const { return now_; }
  FrameDeflater& deflater() { return deflater_; }
  // Room that every connection may read into what nobody will look at.
  std::vector<char>& discard() { return discard_; }

 private:
  void Tick();

  AsioLoop& loop_;
  const Shared& shared_;
  HandlerFactory factory_;
  std::vector<std::shared_ptr<HostedConnection>> connections_;
  std::vector<char> discard_;
  absl::Duration heartbeat_interval_;
  absl::Duration heartbeat_since_;  // Zero: from the start.
  bool heartbeat_changed_ = false;  // Since the last tick.
  FrameDeflater deflater_;
  absl::Duration now_;
  bool shutting_down_ = false;
};

// Defined beside the connection, the only file that knows Beast.
std::shared_ptr<HostedConnection> MakeBeastConnection(ConnectionHost& host, TcpSocket socket);

}  // namespace bdcsync::gateway
