#include "libs/rpc/server.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_initializer.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/base/stop_signal.h"
#include "libs/rpc/callback_threads.h"
#include "libs/rpc/config.h"
#include "libs/rpc/direct_server.h"
#include "libs/rpc/server_metrics.h"
#include "libs/rpc/shared_port.h"
#include "libs/rpc/stream_server.h"
#include "libs/rpc/tls.h"
#include "libs/rpc/transport.h"

namespace bdcsync::rpc {
namespace {

// Callers that ping more often than this are told to calm down.
constexpr absl::Duration kPingIntervalMin = absl::Seconds(4);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const ServerOptions& options) {
  if (options.tls_cert_file.empty() && options.tls_key_file.empty()) {
    if (options.tls_client_ca_file.empty()) return grpc::InsecureServerCredentials();
    return absl::InvalidArgumentError(
        "grpc.tls.client_ca_file needs grpc.tls.cert_file and grpc.tls.key_file");
  }
  // Read here only to say at once what is wrong; gRPC reads them itself, again and again.
  RETURN_IF_ERROR(ReadPem(options.tls_cert_file, "grpc.tls.cert_file").status());
  RETURN_IF_ERROR(ReadPem(options.tls_key_file, "grpc.tls.key_file").status());
  namespace tls = grpc::experimental;
  tls::TlsServerCredentialsOptions credentials(
      std::make_shared<tls::FileWatcherCertificateProvider>(
          options.tls_key_file, options.tls_cert_file, options.tls_client_ca_file,
          WholeSeconds(options.tls_reload_interval)));
  credentials.watch_identity_key_cert_pairs();
  if (!options.tls_client_ca_file.empty()) {
    RETURN_IF_ERROR(ReadPem(options.tls_client_ca_file, "grpc.tls.client_ca_file").status());
    credentials.watch_root_certs();
    credentials.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return tls::TlsServerCredentials(credentials);
}

// "[::1]:80" for an IPv6 address.
std::string HostAndPort(const std::string& host, int port) {
  const bool bare_ipv6 = absl::StrContains(host, ":") && !absl::StartsWith(host, "[");
  return bare_ipv6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

void Configure(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetMaxSendMessageSize(static_cast<int>(options.max_message_bytes));
  // Without this a second process on the same port would take half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(options.max_concurrent_streams));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytesMax);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(options.keepalive_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(kPingIntervalMin));
}

// gRPC takes a time before 1970 for one that never comes.
std::chrono::system_clock::time_point ToDeadline(absl::Time time) {
  return absl::ToChronoTime(std::max(time, absl::UnixEpoch()));
}

// One gRPC server and the calls that it has not finished.
struct Endpoint {
  CallsInFlight in_flight;
  std::unique_ptr<grpc::Server> server;
};

// gRPC deletes what it keeps of a call a moment after the server that answered it has stopped.
constexpr absl::Duration kCallsEndMax = absl::Seconds(1);
// Streams end soon once they are closed.
constexpr absl::Duration kStreamsEndMax = absl::Seconds(5);
// What arrives while gRPC takes leave of its callers, it answers with CANCELLED. So a server for
// clients first lets its services refuse calls for so long that none comes any more, for a while.
constexpr absl::Duration kLull = absl::Milliseconds(50);
constexpr absl::Duration kLullWaitMax = absl::Seconds(1);
// Peers close their connections when they are told goodbye; whoever says nothing is not waited for.
constexpr absl::Duration kGoodbyeMax = absl::Milliseconds(250);

SocketLimits LimitsOf(const ServerOptions& options) {
  return {.payload_bytes_max = static_cast<std::size_t>(options.max_message_bytes),
          .keepalive_interval = options.keepalive_interval,
          .keepalive_timeout = options.keepalive_timeout};
}

}  // namespace

ServerOptions ServerOptionsFrom(const config::Values& values, absl::string_view listen_address,
                                int port) {
  ServerOptions options;
  options.listen_address = std::string(listen_address);
  options.port = port;
  options.max_message_bytes = values.Get(kMaxMessageBytes);
  options.max_concurrent_streams = values.Get(kMaxConcurrentStreams);
  options.streams_max = static_cast<std::size_t>(values.Get(kStreamsOpenMax));
  options.silence_max = values.Get(kSilenceMax);
  options.silent_max = static_cast<std::size_t>(values.Get(kSilentMax));
  options.keepalive_interval = values.Get(kKeepaliveInterval);
  options.keepalive_timeout = values.Get(kKeepaliveTimeout);
  options.tls_cert_file = values.Get(kTlsCertFile);
  options.tls_key_file = values.Get(kTlsKeyFile);
  options.tls_client_ca_file = values.Get(kTlsClientCaFile);
  options.tls_reload_interval = values.Get(kTlsReloadInterval);
  return options;
}

struct Server::State {
  // Builds and starts the server of `endpoint`; null when it cannot listen.
  void Build(const std::vector<grpc::Service*>& offered, grpc::ServerBuilder& builder,
             Endpoint& endpoint);
  // Has `builder` listen, or listens for it where streams come on the same port. `acceptor` is
  // what takes connections then.
  absl::Status Listen(grpc::ServerBuilder& builder,
                      std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>& acceptor);
  // Hands what comes on the shared port to `acceptor` or to the streams.
  void AcceptFrom(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor);
  // Takes leave of callers over TCP and waits for their calls, at most until `deadline`.
  void EndTcp(absl::Time deadline);
  bool ServesStreams() const {
    return options.loops != nullptr && options.tls_cert_file.empty() && !streams.empty();
  }

  const ServerOptions options;
  metrics::Registry& metrics;
  const log::Logger logger;
  const SystemClock clock;  // Real time: it measures calls.
  SystemRandom random;      // For ids of requests, which nothing depends on.
  CallMetrics calls{metrics, clock, logger};
  std::vector<grpc::Service*> services;
  std::vector<grpc::Service*> outside;  // Those of them that can be called from outside.
  bool for_clients = false;             // Whether any of them is.
  // Of unary calls within the process; shared with them, and with who makes them.
  const std::shared_ptr<DirectServer> direct = std::make_shared<DirectServer>(calls);
  StreamServer streams{LimitsOf(options),
                       options.streams_max};  // For calls from outside that come on streams.
  std::unique_ptr<SharedPort> shared_port;    // Null: gRPC listens itself.
  Endpoint tcp;
  // Other calls within the process have a server of their own: gRPC's in-process transport breaks
  // what is in flight when its server begins to shut down, so that one is shut down only when it is
  // idle.
  Endpoint local;
  int port = 0;
  std::atomic<bool> drained{false};
};

void Server::State::Build(const std::vector<grpc::Service*>& offered, grpc::ServerBuilder& builder,
                          Endpoint& endpoint) {
  Configure(options, builder);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<ServerMetricsFactory>(calls, endpoint.in_flight, random));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  for (grpc::Service* service : offered) builder.RegisterService(service);
  endpoint.server = builder.BuildAndStart();
}

absl::Status Server::State::Listen(
    grpc::ServerBuilder& builder,
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor>& acceptor) {
  ASSIGN_OR_RETURN(auto credentials, Credentials(options));
  if (!ServesStreams()) {
    builder.AddListeningPort(HostAndPort(options.listen_address, options.port),
                             std::move(credentials), &port);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      shared_port,
      SharedPort::Open(*options.loops, options.listen_address, options.port,
                       {.silence_max = options.silence_max, .silent_max = options.silent_max}));
  port = shared_port->port();
  acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      std::move(credentials));
  return absl::OkStatus();
}

void Server::State::AcceptFrom(
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor) {
  shared_port->Start(
      {.grpc =
           [acceptor = std::shared_ptr(std::move(acceptor))](int descriptor) {
             grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
             connection.fd = descriptor;
             acceptor->HandleNewConnection(&connection);
           },
       .stream =
           [this](boost::asio::ip::tcp::socket socket) { streams.Accept(std::move(socket)); }});
}

// gRPC waits for connections as well as for calls, and for one that never said anything until its
// deadline; so it is told when no call is left.
void Server::State::EndTcp(absl::Time deadline) {
  if (for_clients) {
    tcp.in_flight.AwaitLull(clock, kLull, std::min(deadline, clock.Now() + kLullWaitMax));
  }
  StopSignal ended;
  std::thread ending([&] {
    tcp.server->Shutdown(ToDeadline(deadline));
    ended.Stop();
  });
  tcp.in_flight.AwaitNone(deadline);
  if (clock.Now() < deadline && !ended.WaitFor(kGoodbyeMax)) {
    grpc_server_cancel_all_calls(tcp.server->c_server());  // Closes the connections, too.
  }
  ending.join();
  tcp.server->Wait();
}

Server::Server(ServerOptions options, metrics::Registry& metrics, const log::Logger& logger)
    : state_(new State{std::move(options), metrics, logger}) {}

Server::~Server() {
  Drain(absl::InfinitePast());
  if (state_->local.server == nullptr) return;
  state_->local.server->Shutdown(ToDeadline(absl::InfinitePast()));
  state_->local.server->Wait();
  state_->direct->Close();
  AwaitIdle(state_->clock.Now() + kCallsEndMax);
}

void Server::AddService(grpc::Service* service, Audience audience) {
  state_->services.push_back(service);
  state_->for_clients = state_->for_clients || audience == Audience::kClients;
  if (audience == Audience::kClients || !state_->options.suite_within) {
    state_->outside.push_back(service);
  }
  state_->direct->AddService(service);
}

absl::Status Server::Start() {
  KeepCallbackThreads();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder tcp;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  const absl::Status listening = state_->Listen(tcp, acceptor);
  if (absl::IsInvalidArgument(listening)) return listening;
  if (listening.ok()) state_->Build(state_->outside, tcp, state_->tcp);
  if (state_->tcp.server == nullptr || state_->port == 0) {
    return MakeError(Reason::kUnavailable,
                     absl::StrCat("cannot listen for gRPC on ",
                                  HostAndPort(state_->options.listen_address, state_->options.port),
                                  ": is another process using the port? Set grpc.port or "
                                  "listen_address to another one"));
  }
  if (state_->shared_port != nullptr) state_->AcceptFrom(std::move(acceptor));
  grpc::ServerBuilder local;
  state_->Build(state_->services, local, state_->local);
  state_->metrics.AddGaugeCallback(kCallsInFlight, {}, [state = state_.get()] {
    return static_cast<double>(state->tcp.in_flight.count() + state->local.in_flight.count() +
                               state->direct->calls().count());
  });
  state_->metrics.AddGaugeCallback(kStreamsOpen, {}, [state = state_.get()] {
    return static_cast<double>(state->streams.count());
  });
  state_->metrics.AddGaugeCallback(kSilentConnections, {}, [state = state_.get()] {
    return state->shared_port == nullptr ? 0 : static_cast<double>(state->shared_port->silent());
  });
  SetServing(false);
  return absl::OkStatus();
}

int Server::port() const { return state_->port; }

void Server::AddStreamed(std::unique_ptr<StreamedMethod> method) {
  if (!state_->options.suite_within) state_->streams.Add(std::move(method));
}

std::shared_ptr<DirectServer> Server::direct() const { return state_->direct; }

std::shared_ptr<grpc::Channel> Server::InProcessChannel() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(state_->options.max_message_bytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(state_->options.max_message_bytes));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // As in channels.cc.
  return state_->local.server->InProcessChannel(arguments);
}

Peer Server::InProcess() { return {InProcessChannel(), state_->direct}; }

void Server::SetServing(bool serving) {
  for (const Endpoint* endpoint : {&state_->tcp, &state_->local}) {
    if (endpoint->server == nullptr) continue;
    grpc::HealthCheckServiceInterface& health = *endpoint->server->GetHealthCheckService();
    health.SetServingStatus(serving);
    // gRPC knows a service's name only once it was told of it.
    grpc::ServerInitializer names(endpoint->server.get());
    for (const std::string& name : *names.GetServiceList()) health.SetServingStatus(name, serving);
  }
}

void Server::Drain(absl::Time deadline) {
  if (state_->local.server == nullptr || state_->drained.exchange(true)) return;
  SetServing(false);
  if (state_->shared_port != nullptr) state_->shared_port->Close();
  state_->streams.Stop();
  state_->EndTcp(deadline);
  AwaitIdle(deadline);
  state_->streams.Close(kStreamsEndMax);
}

void Server::AwaitIdle(absl::Time deadline) {
  state_->tcp.in_flight.AwaitNone(deadline);
  state_->local.in_flight.AwaitNone(deadline);
  state_->direct->calls().AwaitNone(deadline);
}

}  // namespace bdcsync::rpc
