// Configuration keys of remote resolvers. Constants only.
#pragma once

#include "libs/config/schema.h"

namespace bdcsync::conflict {

inline constexpr config::StringMap kResolvers{
    .name = "conflict.resolvers",
    .doc =
        "The programs that rules may ask, name=host:port (or any gRPC target); no other is "
        "called. TLS as for services.tls.*."};
inline constexpr config::StringMap kResolverDocuments{
    .name = "conflict.resolver_documents",
    .doc =
        "Resolvers that are sent whole documents too, name=bytes, e.g. price=64KiB: when all "
        "three versions together are no larger."};
inline constexpr config::StringMap kResolverDeadlines{
    .name = "conflict.resolver_deadlines",
    .doc = "Resolvers whose deadline is not conflict.resolver_deadline, name=duration."};
inline constexpr config::Duration kResolverDeadline{
    .name = "conflict.resolver_deadline",
    .default_value = absl::Milliseconds(200),
    .min = absl::Milliseconds(1),
    .max = absl::Seconds(10),
    .doc = "How long a resolver may take for a call, and a place may wait for one."};
inline constexpr config::Duration kResolverWaitMax{
    .name = "conflict.resolver_wait_max",
    .default_value = absl::Seconds(2),
    .min = absl::ZeroDuration(),
    .max = absl::Minutes(1),
    .doc =
        "After it no more is asked for one call of version: the else decides about the rest. "
        "Below version.resolve_timeout."};
inline constexpr config::Int kResolverBatchPlacesMax{
    .name = "conflict.resolver_batch_places_max",
    .default_value = 64,
    .min = 1,
    .max = 4096,
    .unit = "places",
    .doc = "Places that a resolver is asked about in one call."};
inline constexpr config::Bytes kResolverBatchBytesMax{
    .name = "conflict.resolver_batch_bytes_max",
    .default_value = 1 << 20,
    .min = 1 << 10,
    .max = 64 << 20,
    .doc =
        "Values and documents in one call, never more than half of grpc.max_message_bytes; a "
        "larger place is not asked about."};
inline constexpr config::Int kResolverCallsInFlightMax{
    .name = "conflict.resolver_calls_in_flight_max",
    .default_value = 4,
    .min = 1,
    .max = 1000,
    .unit = "calls",
    .doc = "Calls to one resolver at once; what comes meanwhile is gathered for the next."};
inline constexpr config::Int kResolverQueuePlacesMax{
    .name = "conflict.resolver_queue_places_max",
    .default_value = 4096,
    .min = 1,
    .max = 1'000'000,
    .unit = "places",
    .doc = "Places that wait for one resolver; more are decided without it."};
inline constexpr config::Bytes kResolverQueueBytesMax{
    .name = "conflict.resolver_queue_bytes_max",
    .default_value = 16 << 20,
    .min = 1 << 10,
    .max = int64_t{1} << 40,
    .doc = "Bytes of the places that wait for one resolver; more are decided without it."};
inline constexpr config::Bytes kResolverAnswerBytesMax{
    .name = "conflict.resolver_answer_bytes_max",
    .default_value = 256 << 10,
    .min = 16,
    .max = 64 << 20,
    .doc = "The largest value that a resolver may answer for one place."};
inline constexpr config::Int kResolverBreakerFailuresMax{
    .name = "conflict.resolver_breaker_failures_max",
    .default_value = 5,
    .min = 1,
    .max = 1000,
    .unit = "calls",
    .doc = "Calls that fail in a row before a resolver is left alone for a while."};
inline constexpr config::Int kResolverBreakerFailurePercent{
    .name = "conflict.resolver_breaker_failure_percent",
    .default_value = 50,
    .min = 1,
    .max = 100,
    .unit = "percent",
    .doc = "Share of the last 20 calls that fail before a resolver is left alone for a while."};
inline constexpr config::Duration kResolverBreakerWait{
    .name = "conflict.resolver_breaker_wait",
    .default_value = absl::Seconds(1),
    .min = absl::Milliseconds(10),
    .max = absl::Minutes(10),
    .doc = "How long a failing resolver is left alone at first (±50 %); twice as long each time."};
inline constexpr config::Duration kResolverBreakerWaitMax{
    .name = "conflict.resolver_breaker_wait_max",
    .default_value = absl::Seconds(30),
    .min = absl::Milliseconds(10),
    .max = absl::Hours(1),
    .doc = "How long a failing resolver is left alone at most."};

// Adds all of them.
void DeclareRemoteConfig(config::Schema& schema);

}  // namespace bdcsync::conflict
