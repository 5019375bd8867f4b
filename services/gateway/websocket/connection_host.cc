#include "services/gateway/websocket/connection_host.h"

#include <algorithm>
#include <utility>

#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::Duration kTickMax = absl::Seconds(1);
// A deadline or heartbeat is late by at most this part of the heartbeat interval.
constexpr int kTicksPerHeartbeat = 4;
constexpr absl::Duration kTickMin = absl::Milliseconds(5);
constexpr size_t kDiscardBytes = 16 << 10;

}  // namespace

void ConnectionHost::Start(HandlerFactory factory) {
  factory_ = std::move(factory);
  discard_.resize(kDiscardBytes);
  Tick();
}

void ConnectionHost::Tick() {
  now_ = shared_.clock.Monotonic();
  if (std::exchange(heartbeat_changed_, false)) heartbeat_since_ = now_;
  // A tick may remove connections, each of which is then replaced by the last one.
  for (size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const std::shared_ptr<HostedConnection> connection = connections_[i];
    connection->Tick(now_);
  }
  const ServerOptions& options = shared_.options;
  const absl::Duration shortest =
      std::min({heartbeat_interval_, options.handshake_timeout, options.close_timeout});
  loop_.RunAfter(std::clamp(shortest / kTicksPerHeartbeat, kTickMin, kTickMax), [this] { Tick(); });
}

void ConnectionHost::Adopt(TcpSocket socket) {
  if (shutting_down_) {
    shared_.gone(false);
    return;
  }
  std::shared_ptr<HostedConnection> connection = MakeBeastConnection(*this, std::move(socket));
  connection->place_ = connections_.size();
  connections_.push_back(connection);
  shared_.metrics.connections.Add(1);
  connection->Start();
}

void ConnectionHost::Remove(HostedConnection& connection) {
  const size_t place = connection.place_;
  const bool admitted = connection.admitted_;
  // Kept until the caller, which may be the connection itself, has returned.
  loop_.Post([gone = std::move(connections_[place])] {});
  if (place + 1 < connections_.size()) {
    connections_[place] = std::move(connections_.back());
    connections_[place]->place_ = place;
  }
  connections_.pop_back();
  shared_.metrics.connections.Add(-1);
  shared_.gone(admitted);
}

void ConnectionHost::Shutdown() {
  shutting_down_ = true;
  const auto connections = connections_;
  for (const auto& connection : connections) connection->Shutdown();
}

void ConnectionHost::AbortAll() {
  const auto connections = connections_;
  for (const auto& connection : connections) connection->Abort();
}

}  // namespace bdcsync::gateway
