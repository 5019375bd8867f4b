// Configuration keys that every process has. Constants only; libs/rpc/config.h has those of gRPC
// and of the addresses of services.
#pragma once

#include "absl/time/time.h"
#include "libs/app/module.h"
#include "libs/config/schema.h"

namespace bdcsync::app {

inline constexpr config::String kDataDir{
    .name = "data_dir",
    .default_value = "./data",
    .doc = "The folder of embedded databases and the offline spool; created when missing."};
inline constexpr config::String kListenAddress{
    .name = "listen_address",
    .default_value = "127.0.0.1",
    .doc = "The address that every listener of the process binds to; 0.0.0.0 is all of them."};
// The defaults of both ports are those of the process's last module.
inline constexpr config::Int kGrpcPort{.name = "grpc.port",
                                       .default_value = 0,
                                       .min = 0,
                                       .max = 65535,
                                       .doc = "Where gRPC callers connect; 0 takes any free port."};
inline constexpr config::Int kHttpPort{
    .name = "http.port",
    .default_value = 0,
    .min = 0,
    .max = 65535,
    .doc = "Where /metrics, /healthz and /readyz are served; 0 takes any free port."};
inline constexpr config::String kHttpTlsCertFile{
    .name = "http.tls.cert_file",
    .doc = "The HTTP listener's certificate chain (PEM); empty serves without TLS."};
inline constexpr config::String kHttpTlsKeyFile{
    .name = "http.tls.key_file", .doc = "The private key of http.tls.cert_file (PEM)."};
inline constexpr config::String kHttpTlsClientCaFile{
    .name = "http.tls.client_ca_file",
    .doc = "CA certificates (PEM); when set, HTTP callers must show a certificate of theirs."};
inline constexpr config::String kStorageUrl{.name = "storage.url",
                                            .default_value = "sqlite:",
                                            .doc =
                                                "Where data is kept: sqlite: (files in data_dir) "
                                                "or postgresql://user:password@host/database.",
                                            .secret = true};
inline constexpr config::String kBusUrl{
    .name = "bus.url",
    .default_value = "memory:",
    .doc = "How services tell each other of changes: memory: (one process) or redis://host:port.",
    .secret = true};
inline constexpr config::String kBusChannelPrefix{
    .name = "bus.channel_prefix",
    .doc =
        "Put before the name of each channel, so that suites with prefixes of their own can share "
        "one Redis; the same in all processes of a suite. Up to 64 of a-z A-Z 0-9 . _ : / -"};
inline constexpr config::String kLogLevel{.name = "monitoring.log_level",
                                          .default_value = "info",
                                          .choices = "debug,info,warn,error,off",
                                          .doc = "The least severe records that are logged.",
                                          .reloadable = true};
inline constexpr config::String kLogFormat{
    .name = "monitoring.log_format",
    .default_value = "auto",
    .choices = "auto,json,text",
    .doc = "How records are written; auto is text on a terminal and JSON elsewhere."};
inline constexpr config::Bool kEnableMetrics{.name = "monitoring.enable_metrics",
                                             .default_value = true,
                                             .doc = "Whether /metrics is served."};
inline constexpr config::Duration kDrainTimeout{
    .name = "shutdown.drain_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::ZeroDuration(),
    .max = absl::Minutes(10),
    .doc = "How long a stopping process finishes what is in flight."};
inline constexpr config::Int kWorkerThreads{.name = "workers.threads",
                                            .default_value = 4,
                                            .min = 1,
                                            .max = 256,
                                            .unit = "threads",
                                            .doc = "Threads for work that blocks."};
inline constexpr config::Int kWorkerQueueMax{
    .name = "workers.queue_max",
    .default_value = 4096,
    .min = 1,
    .max = 1000000,
    .unit = "tasks",
    .doc = "Tasks that may wait for a worker thread; more are refused as unavailable."};

// Adds the keys above and those of libs/rpc, with `ports` as defaults of grpc.port and http.port.
void DeclareConfig(config::Schema& schema, DefaultPorts ports);

}  // namespace bdcsync::app
