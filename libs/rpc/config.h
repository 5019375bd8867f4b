// Configuration keys of gRPC servers and channels, shared by all services. Constants, and
// what their values alone tell.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/config/schema.h"
#include "libs/config/values.h"

namespace bdcsync::rpc {

inline constexpr config::Bytes kMaxMessageBytes{
    .name = "grpc.max_message_bytes",
    .default_value = 16 << 20,
    .min = 16 << 20,
    .max = 1 << 30,
    .doc =
        "The largest gRPC message that is sent or accepted; what services send each other is "
        "made to fit into the least that this may be."};
inline constexpr config::Duration kKeepaliveInterval{
    .name = "grpc.keepalive_interval",
    .default_value = absl::Seconds(20),
    .min = absl::Seconds(5),
    .max = absl::Hours(2),
    .doc = "How often an idle gRPC connection is checked."};
inline constexpr config::Duration kKeepaliveTimeout{
    .name = "grpc.keepalive_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::Seconds(1),
    .max = absl::Minutes(5),
    .doc = "How long a checked gRPC connection may stay silent before it is closed."};
inline constexpr config::Duration kReconnectBackoffMax{
    .name = "grpc.reconnect_backoff_max",
    .default_value = absl::Seconds(2),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(2),
    .doc = "The longest wait between attempts to reach a service that is away."};
inline constexpr config::Duration kHungAfter{
    .name = "grpc.hung_after",
    .default_value = absl::Seconds(3),
    .min = absl::Seconds(1),
    .max = absl::Minutes(5),
    .doc =
        "How long another service that has a call to answer may give no sign of life before it "
        "counts as hung: its calls are unavailable and go to other replicas until it greets "
        "again. Below the timeouts of calls. With TLS or without grpc.streams: that, 5 s after "
        "it was last heard."};
inline constexpr config::Int kMaxConcurrentStreams{
    .name = "grpc.max_concurrent_streams",
    .default_value = 10000,
    .min = 1,
    .max = 1000000,
    .unit = "calls",
    .doc = "Calls in flight on one gRPC connection; more wait at the caller."};
inline constexpr config::Bool kStreams{
    .name = "grpc.streams",
    .default_value = true,
    .doc =
        "Whether the busiest calls between services use connections that carry nothing else, on "
        "the same ports, which is faster. With TLS, or where one end has it off, they are gRPC "
        "calls like all others; turn it off where a proxy between services takes HTTP/2 only."};
inline constexpr config::Int kStreamsOpenMax{
    .name = "grpc.streams_open_max",
    .default_value = 10'000,
    .min = 1,
    .max = 1'000'000,
    .unit = "connections",
    .doc =
        "Connections of grpc.streams that a service has open; callers beyond it are refused. More "
        "than any suite needs, fewer than file descriptors there are."};
inline constexpr config::Int kStreamsFreeMax{
    .name = "grpc.streams_free_max",
    .default_value = 16,
    .min = 0,
    .max = 10'000,
    .unit = "connections",
    .doc =
        "Connections of grpc.streams that a caller keeps for the next calls, of one method to one "
        "address; those of a burst beyond it are closed."};
inline constexpr config::Duration kStreamAgeMax{
    .name = "grpc.stream_age_max",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Hours(1),
    .doc =
        "How long a connection of grpc.streams is used again: a new one may go to another address "
        "behind the same name."};
inline constexpr config::Duration kSilenceMax{
    .name = "grpc.silence_max",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(10),
    .doc =
        "How long a connection to the gRPC port may say nothing at first, with grpc.streams on."};
inline constexpr config::Int kSilentMax{
    .name = "grpc.silent_max",
    .default_value = 1024,
    .min = 1,
    .max = 1'000'000,
    .unit = "connections",
    .doc =
        "Connections to the gRPC port that have said nothing yet; more are gRPC's at once, with "
        "grpc.streams on."};
inline constexpr config::String kTlsCertFile{
    .name = "grpc.tls.cert_file",
    .doc = "The gRPC server's certificate chain (PEM); empty serves without TLS."};
inline constexpr config::String kTlsKeyFile{.name = "grpc.tls.key_file",
                                            .doc = "The private key of grpc.tls.cert_file (PEM)."};
inline constexpr config::String kTlsClientCaFile{
    .name = "grpc.tls.client_ca_file",
    .doc = "CA certificates (PEM); when set, gRPC callers must show a certificate of theirs."};

inline constexpr config::StringList kEventStoreAddresses{
    .name = "services.event_store",
    .default_value = "127.0.0.1:8772",
    .doc = "Where event-store replicas listen (gRPC)."};
inline constexpr config::StringList kVersionAddresses{
    .name = "services.version",
    .default_value = "127.0.0.1:8773",
    .doc = "Where version replicas listen (gRPC)."};
inline constexpr config::StringList kConflictAddresses{
    .name = "services.conflict",
    .default_value = "127.0.0.1:8774",
    .doc = "Where conflict replicas listen (gRPC)."};
inline constexpr config::StringList kDeviceSyncAddresses{
    .name = "services.device_sync",
    .default_value = "127.0.0.1:8775",
    .doc = "Where device-sync replicas listen (gRPC)."};
inline constexpr config::String kServicesTlsCaFile{
    .name = "services.tls.ca_file",
    .doc =
        "CA certificates (PEM) that other services are checked against; empty calls without TLS."};
inline constexpr config::String kServicesTlsCertFile{
    .name = "services.tls.cert_file",
    .doc = "The certificate (PEM) shown to other services that ask for one."};
inline constexpr config::String kServicesTlsKeyFile{
    .name = "services.tls.key_file", .doc = "The private key of services.tls.cert_file (PEM)."};

inline constexpr config::Duration kTlsReloadInterval{
    .name = "tls.reload_interval",
    .default_value = absl::Minutes(1),
    .min = absl::Seconds(1),
    .max = absl::Hours(24),
    .doc = "How often certificate, key and CA files of all listeners and channels are looked at."};

// Adds all of them.
void DeclareConfig(config::Schema& schema);
// INVALID_ARGUMENT: addresses of services at which nobody can be reached, told with their keys.
absl::Status CheckAddresses(const config::Values& values);

}  // namespace bdcsync::rpc
