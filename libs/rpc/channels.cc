#include "libs/rpc/channels.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/rpc/callback_threads.h"
#include "libs/rpc/config.h"
#include "libs/rpc/tls.h"
#include "libs/rpc/transport.h"

namespace bdcsync::rpc {
namespace {

constexpr absl::Duration kReconnectBackoffInitial = absl::Milliseconds(50);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const ChannelOptions& options) {
  if (options.tls_ca_file.empty()) {
    if (options.tls_cert_file.empty()) return grpc::InsecureChannelCredentials();
    return absl::InvalidArgumentError("services.tls.cert_file needs services.tls.ca_file");
  }
  // Read here only to say at once what is wrong; gRPC reads them itself, again and again.
  RETURN_IF_ERROR(ReadPem(options.tls_ca_file, "services.tls.ca_file").status());
  if (!options.tls_cert_file.empty()) {
    RETURN_IF_ERROR(ReadPem(options.tls_cert_file, "services.tls.cert_file").status());
    RETURN_IF_ERROR(ReadPem(options.tls_key_file, "services.tls.key_file").status());
  }
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions credentials;
  credentials.set_certificate_provider(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.tls_key_file, options.tls_cert_file, options.tls_ca_file,
      WholeSeconds(options.tls_reload_interval)));
  credentials.watch_root_certs();
  if (!options.tls_cert_file.empty()) credentials.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(credentials);
}

grpc::ChannelArguments Arguments(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(options.max_message_bytes));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_interval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kFrameBytesMax);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const int initial = Milliseconds(kReconnectBackoffInitial);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, initial);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, initial);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS,
                   std::max(initial, Milliseconds(options.reconnect_backoff_max)));
  // Callers repeat what may be repeated; gRPC's own layer for it costs each call 20 µs.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A connection of its own, not shared with other channels to the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Keeps a connection to every address behind a name, and reconnects without waiting for a call.
  arguments.SetLoadBalancingPolicyName("round_robin");
  return arguments;
}

// With hung_after, gRPC asks a peer that says nothing as well, and sooner than the keys of idle
// connections have it; not more often than services allow (kPingIntervalMin of server.cc).
constexpr absl::Duration kChannelCheckInterval = absl::Seconds(5);
ChannelOptions ForServices(ChannelOptions options) {
  if (options.hung_after == absl::InfiniteDuration()) return options;
  options.keepalive_interval = std::min(options.keepalive_interval, kChannelCheckInterval);
  options.keepalive_timeout = std::min(options.keepalive_timeout, options.hung_after);
  return options;
}

std::string KeyOf(absl::string_view service) {
  return absl::StrCat("services.", absl::StrReplaceAll(service, {{"-", "_"}}));
}

}  // namespace

ChannelOptions ChannelOptionsFrom(const config::Values& values) {
  ChannelOptions options;
  options.addresses = {{"event-store", values.Get(kEventStoreAddresses)},
                       {"version", values.Get(kVersionAddresses)},
                       {"conflict", values.Get(kConflictAddresses)},
                       {"device-sync", values.Get(kDeviceSyncAddresses)}};
  options.max_message_bytes = values.Get(kMaxMessageBytes);
  options.keepalive_interval = values.Get(kKeepaliveInterval);
  options.keepalive_timeout = values.Get(kKeepaliveTimeout);
  options.reconnect_backoff_max = values.Get(kReconnectBackoffMax);
  options.hung_after = values.Get(kHungAfter);
  options.stream_reuse = {.age_max = values.Get(kStreamAgeMax),
                          .free_max = static_cast<std::size_t>(values.Get(kStreamsFreeMax))};
  options.tls_ca_file = values.Get(kServicesTlsCaFile);
  options.tls_cert_file = values.Get(kServicesTlsCertFile);
  options.tls_key_file = values.Get(kServicesTlsKeyFile);
  options.tls_reload_interval = values.Get(kTlsReloadInterval);
  return options;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Dial(const std::string& address,
                                                    const ChannelOptions& options) {
  ASSIGN_OR_RETURN(auto credentials, Credentials(options));
  KeepCallbackThreads();
  return grpc::CreateCustomChannel(address, credentials, Arguments(options));
}

absl::StatusOr<Peer> DialPeer(const std::string& address, const ChannelOptions& options) {
  ASSIGN_OR_RETURN(auto channel, Dial(address, ForServices(options)));
  Peer peer{.channel = std::move(channel)};
  if (options.loops == nullptr || !options.tls_ca_file.empty()) return peer;
  peer.streams = ParseStreamAddress(address);
  if (!peer.streams.has_value()) return peer;
  peer.streams->loops = options.loops;
  peer.streams->hung_peers = options.hung_peers;
  peer.streams->reuse = options.stream_reuse;
  peer.streams->limits = {.payload_bytes_max = static_cast<std::size_t>(options.max_message_bytes),
                          .keepalive_interval = options.keepalive_interval,
                          .keepalive_timeout = options.keepalive_timeout,
                          .pulse = options.hung_after / kQuietPulsesMax};
  return peer;
}

Channels::Channels(ChannelOptions options) : options_(std::move(options)) {}
Channels::~Channels() = default;

void Channels::AddInProcess(absl::string_view service, Peer peer) {
  absl::MutexLock lock(&mutex_);
  peers_[std::string(service)] = {std::move(peer)};
}

absl::StatusOr<std::vector<Peer>> Channels::Get(absl::string_view service) {
  const std::string name(service);
  absl::MutexLock lock(&mutex_);
  if (const auto known = peers_.find(name); known != peers_.end()) return known->second;

  const auto addresses = options_.addresses.find(name);
  if (addresses == options_.addresses.end() || addresses->second.empty()) {
    return MakeError(Reason::kNotFound, absl::StrCat("no address of the service ", name,
                                                     " is known: set ", KeyOf(service)));
  }
  std::vector<Peer> replicas;
  for (const std::string& address : addresses->second) {
    ASSIGN_OR_RETURN(replicas.emplace_back(), DialPeer(address, options_));
  }
  return peers_[name] = std::move(replicas);
}

}  // namespace bdcsync::rpc
