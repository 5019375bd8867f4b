#include "services/gateway/websocket/transport_metrics.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "services/gateway/session/close_code.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kRefused = {"bdcsync_gateway_handshakes_refused_total",
                                          "Handshakes refused, by reason."};
constexpr metrics::MetricInfo kCloses = {"bdcsync_gateway_closes_total",
                                         "Connections closed by the server, by close code."};
constexpr metrics::MetricInfo kCompression = {
    "bdcsync_gateway_compression_bytes_total",
    "Payload bytes of messages before and after they were compressed."};
constexpr uint16_t kKnownCodes[] = {
    kCloseNormal,  kCloseServerStops, kCloseProtocolError,   kCloseInvalidText, kCloseTooBig,
    kCloseRestart, kCloseBadMessage,  kCloseUnauthenticated, kCloseForbidden,   kCloseSubprotocol,
    kCloseNoLife,  kCloseRateLimited, kCloseSlowConsumer,    kCloseSuperseded,  kCloseTokenExpired};

}  // namespace

TransportMetrics::TransportMetrics(metrics::Registry& registry)
    : connections(registry.AddGauge(
          {"bdcsync_gateway_connections", "Open TCP connections of the WebSocket listener."})),
      connections_max(registry.AddGauge(
          {"bdcsync_gateway_connections_max", "Connections beyond which handshakes are refused."})),
      accepted(registry.AddCounter(
          {"bdcsync_gateway_connections_accepted_total", "TCP connections accepted."})),
      refused_full(registry.AddCounter(kRefused, {{"reason", "full"}})),
      refused_origin(registry.AddCounter(kRefused, {{"reason", "origin"}})),
      refused_request(registry.AddCounter(kRefused, {{"reason", "request"}})),
      refused_subprotocol(registry.AddCounter(kRefused, {{"reason", "subprotocol"}})),
      handshake_timeouts(registry.AddCounter(
          {"bdcsync_gateway_handshake_timeouts_total", "Handshakes that took too long."})),
      accept_failures(registry.AddCounter({"bdcsync_gateway_accept_failures_total",
                                           "Failed accepts, e.g. no file descriptor free."})),
      messages_received(registry.AddCounter(
          {"bdcsync_gateway_messages_received_total", "WebSocket messages received."})),
      bytes_received(registry.AddCounter(
          {"bdcsync_gateway_received_bytes_total", "Payload bytes of messages received."})),
      bytes_sent(registry.AddCounter(
          {"bdcsync_gateway_sent_bytes_total", "Bytes handed to the operating system."})),
      uncompressed_bytes(registry.AddCounter(kCompression, {{"stage", "before"}})),
      compressed_bytes(registry.AddCounter(kCompression, {{"stage", "after"}})),
      writes(registry.AddCounter({"bdcsync_gateway_writes_total", "Gather writes to sockets."})),
      writes_blocked(registry.AddCounter({"bdcsync_gateway_writes_blocked_total",
                                          "Writes that had to wait for the peer to read."})),
      registry_(registry) {
  for (const uint16_t code : kKnownCodes) {
    registry_.AddCounter(kCloses, {{"code", absl::StrCat(code)}});
  }
}

void TransportMetrics::CountClose(uint16_t code) {
  const std::string label = absl::c_linear_search(kKnownCodes, code) ? absl::StrCat(code) : "other";
  registry_.AddCounter(kCloses, {{"code", label}}).Add();
}

}  // namespace bdcsync::gateway
