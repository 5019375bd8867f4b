// A gRPC server with health checking (grpc.health.v1), reflection, optional TLS and mTLS, and
// metrics of every call. AddService before Start, on one thread; the rest is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/values.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "libs/rpc/peer.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace bdcsync::rpc {

class SocketLoops;
class StreamedMethod;

// Who calls a service.
enum class Audience {
  kClients,  // Anybody; the service asks for a token.
  kSuite,    // Other services of the suite, which it trusts: it asks for none.
};

struct ServerOptions {
  std::string listen_address = "127.0.0.1";  // A host or IP address, without port.
  int port = 0;                              // 0: any free one.
  int64_t max_message_bytes = 16 << 20;
  int64_t max_concurrent_streams = 10000;
  absl::Duration keepalive_interval = absl::Seconds(20);
  absl::Duration keepalive_timeout = absl::Seconds(10);
  std::string tls_cert_file;  // Empty: no TLS.
  std::string tls_key_file;
  std::string tls_client_ca_file;  // Not empty: callers must show a certificate.
  absl::Duration tls_reload_interval = absl::Minutes(1);  // Whole seconds, at least one.
  // The whole suite is in this process: what is for the suite cannot be called from outside.
  bool suite_within = false;
  // For calls on streams (call_streams.h), borrowed. Null: none are served; nor are they with TLS.
  SocketLoops* loops = nullptr;
  std::size_t streams_max = 10000;                 // Of those, open at once.
  absl::Duration silence_max = absl::Seconds(10);  // SharedPortLimits.
  std::size_t silent_max = 1024;
};
// The options of `values` (libs/rpc/config.h); `listen_address` and `port` come from the caller.
ServerOptions ServerOptionsFrom(const config::Values& values, absl::string_view listen_address,
                                int port);

class Server {
 public:
  // Metrics: bdcsync_grpc_requests_total{method,code}, bdcsync_grpc_request_seconds{method},
  // bdcsync_grpc_in_flight_calls, bdcsync_grpc_streams,
  // bdcsync_grpc_silent_connections. One server per registry.
  // Every call is logged at debug, with its request id; at error when it failed by our fault.
  // `metrics` is borrowed and must outlive the server.
  Server(ServerOptions options, metrics::Registry& metrics,
         const log::Logger& logger = log::NullLogger());
  // Drains without patience if Drain was not called. All callers within the process are gone.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Borrowed: must outlive the server's Drain and every call within the process.
  void AddService(grpc::Service* service, Audience audience = Audience::kClients);
  // A method that is also called on streams; see ServeOnStreams (streamed_method.h). Before Start.
  // It is for the suite, so only where the suite is not whole in this process. Streams come on the
  // port that gRPC has.
  void AddStreamed(std::unique_ptr<StreamedMethod> method);
  // The services, without a channel.
  std::shared_ptr<DirectServer> direct() const;
  // Listens. UNAVAILABLE: the port is taken; INVALID_ARGUMENT: a TLS file is missing or wrong.
  absl::Status Start();
  // Where it listens; 0 before Start.
  int port() const;
  // A channel into this server without a socket, from Start until the server is destroyed. A call
  // on it after that is a bug that crashes.
  std::shared_ptr<grpc::Channel> InProcessChannel();
  // That channel for whatever it is needed for, and a way without one for unary calls.
  Peer InProcess();
  // What grpc.health.v1 answers from now on, for the server as a whole ("") and for every service
  // by its full name. Nothing before Start.
  void SetServing(bool serving);
  // Answers NOT_SERVING, refuses new calls from outside, waits for those in flight until
  // `deadline`, then cancels what is left. Connections and health watches are not waited for. Where
  // there are services for clients, these go on to answer, with a refusal best, until no call has
  // come for a moment, or for a second: a call that comes later may be answered with CANCELLED.
  // Calls within the process are waited for as well but neither refused nor cancelled: their
  // callers end them when they are drained. Calling it again does nothing.
  void Drain(absl::Time deadline);
  // Waits until no call runs, or until `deadline`.
  void AwaitIdle(absl::Time deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bdcsync::rpc
