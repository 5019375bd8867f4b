// Configuration keys of the gateway. Constants only.
#pragma once

#include "absl/time/time.h"
#include "libs/config/schema.h"

namespace bdcsync::gateway {

inline constexpr config::Int kWebSocketPort{
    .name = "websocket.port",
    .default_value = 8765,
    .min = 0,
    .max = 65535,
    .doc = "Where WebSocket clients connect; 0 takes any free port."};
inline constexpr config::Int kThreads{
    .name = "websocket.threads",
    .default_value = 0,
    .min = 0,
    .max = 256,
    .unit = "threads",
    .doc = "Threads that serve WebSocket connections; 0 is half the processors, at least one."};
inline constexpr config::Int kMaxConnections{.name = "websocket.max_connections",
                                             .default_value = 100'000,
                                             .min = 1,
                                             .max = 10'000'000,
                                             .unit = "connections",
                                             .doc = "Open connections; more are refused."};
inline constexpr config::Bytes kMaxMessageSize{
    .name = "websocket.max_message_size",
    .default_value = 1 << 20,
    .min = 4 << 10,
    .max = 16 << 20,
    .doc = "The largest message of a client; a larger one closes the connection with 1009."};
inline constexpr config::Duration kHeartbeatInterval{
    .name = "websocket.heartbeat_interval",
    .default_value = absl::Seconds(30),
    .min = absl::Milliseconds(100),
    .max = absl::Hours(1),
    .doc = "How often connections are checked for life; two missed checks close them.",
    .reloadable = true};
inline constexpr config::Duration kHandshakeTimeout{
    .name = "websocket.handshake_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(5),
    .doc = "How long a connection may take to become a WebSocket."};
inline constexpr config::Bool kCompressionEnabled{
    .name = "websocket.compression_enabled",
    .default_value = false,
    .doc = "Whether messages are compressed for clients that offer it; costs memory and time."};
inline constexpr config::Bytes kCompressionThreshold{
    .name = "websocket.compression_threshold_bytes",
    .default_value = 1 << 10,
    .min = 64,
    .max = 16 << 20,
    .doc = "Messages shorter than this are sent as they are, also to clients with compression."};
inline constexpr config::Bytes kQueuedBytesLow{
    .name = "websocket.queued_bytes_low",
    .default_value = 64 << 10,
    .min = 1 << 10,
    .doc = "A connection that was too slow gets changes again below so many waiting bytes."};
inline constexpr config::Bytes kQueuedBytesHigh{
    .name = "websocket.queued_bytes_high",
    .default_value = 1 << 20,
    .min = 4 << 10,
    .doc = "A connection with more waiting bytes gets no changes until it has drained."};
inline constexpr config::Bytes kQueuedBytesMax{
    .name = "websocket.queued_bytes_max",
    .default_value = 16 << 20,
    .min = 64 << 10,
    .doc = "A connection with more waiting bytes is closed with 4430."};
inline constexpr config::Duration kReconnectAfterMin{
    .name = "websocket.reconnect_after_min",
    .default_value = absl::Seconds(1),
    .max = absl::Hours(1),
    .doc = "The earliest return that clients are told of when the gateway stops."};
inline constexpr config::Duration kReconnectAfterMax{
    .name = "websocket.reconnect_after_max",
    .default_value = absl::Seconds(10),
    .max = absl::Hours(1),
    .doc = "The latest return that clients are told of when the gateway stops."};
inline constexpr config::String kTlsCertFile{
    .name = "websocket.tls.cert_file",
    .doc = "The certificate chain of the WebSocket listener (PEM); empty serves without TLS."};
inline constexpr config::String kTlsKeyFile{
    .name = "websocket.tls.key_file", .doc = "The private key of websocket.tls.cert_file (PEM)."};

inline constexpr config::String kJwtSecret{
    .name = "security.jwt_secret",
    .doc = "The shared secret that tokens are signed with (HS256); empty accepts none of these.",
    .reloadable = true,
    .secret = true,
    .env_alias = "BDC_SYNC_JWT_SECRET"};
inline constexpr config::String kJwtKeysDir{
    .name = "security.jwt_keys_dir",
    .doc = "A folder of public keys: <kid>.pem and JWKS *.json; read again when it changes."};
inline constexpr config::Duration kJwtKeysInterval{
    .name = "security.jwt_keys_interval",
    .default_value = absl::Seconds(5),
    .min = absl::Milliseconds(100),
    .max = absl::Hours(1),
    .doc = "How often the folder of keys is looked at."};
inline constexpr config::Bool kRequireAuthentication{
    .name = "security.require_authentication",
    .default_value = true,
    .doc = "Whether a token is needed; false is for development only."};
inline constexpr config::Duration kAuthenticateTimeout{
    .name = "security.authenticate_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(5),
    .doc = "How long a connection may stay without authentication.",
    .reloadable = true};
inline constexpr config::Duration kDeviceCheckInterval{
    .name = "security.device_check_interval",
    .default_value = absl::Seconds(30),
    .min = absl::Milliseconds(100),
    .max = absl::Hours(1),
    .doc =
        "How long a gRPC call relies on what the registry said last of its token's device: a "
        "revocation that the bus did not tell is found after this."};
inline constexpr config::StringList kAllowedOrigins{
    .name = "security.allowed_origins",
    .doc = "Web origins that browsers may connect from; empty allows any."};

inline constexpr config::Int kOperationsPerSecond{
    .name = "limits.operations_per_s",
    .default_value = 10000,
    .min = 1,
    .max = 10'000'000,
    .unit = "operations per second",
    .doc = "Operations that one device of a user may submit in the long run.",
    .reloadable = true};
inline constexpr config::Int kOperationsBurst{
    .name = "limits.operations_burst",
    .default_value = 20000,
    .min = 1,
    .max = 10'000'000,
    .unit = "operations",
    .doc = "Operations that one device of a user may submit at once.",
    .reloadable = true};
inline constexpr config::Int kOperationsPerBatch{
    .name = "limits.operations_per_batch",
    .default_value = 1000,
    .min = 1,
    .max = 4096,
    .unit = "operations",
    .doc = "Operations in one sync_batch; more are refused with too_large."};
inline constexpr config::Int kSubscriptionsPerSession{
    .name = "limits.subscriptions_per_session",
    .default_value = 100,
    .min = 1,
    .max = 100'000,
    .unit = "subscriptions",
    .doc = "Subscriptions of one session; more are refused with quota_exceeded.",
    .reloadable = true};
inline constexpr config::Int kInFlightPerSession{
    .name = "limits.in_flight_per_session",
    .default_value = 256,
    .min = 1,
    .max = 100'000,
    .unit = "requests",
    .doc = "Unanswered requests of one session; above it the server stops reading.",
    .reloadable = true};
inline constexpr config::Int kSessionsPerUser{
    .name = "limits.sessions_per_user",
    .default_value = 20'000,
    .min = 1,
    .max = 10'000'000,
    .unit = "sessions",
    .doc = "Sessions of one user at this gateway; more are refused with quota_exceeded.",
    .reloadable = true};
inline constexpr config::Bytes kListBytesMax{
    .name = "limits.list_bytes_max",
    .default_value = 1 << 20,
    .min = 4 << 10,
    .max = 16 << 20,
    .doc = "Data in one answer to list; a larger entity comes alone, what is left on more pages."};
inline constexpr config::Double kLiveMessagesPerSecond{
    .name = "limits.live_messages_per_s",
    .default_value = 100,
    .min = 0.1,
    .max = 1'000'000,
    .unit = "messages per second",
    .doc = "Presence states and broadcasts of one session.",
    .reloadable = true};
inline constexpr config::Duration kClientTimeAheadMax{
    .name = "limits.client_time_ahead_max",
    .default_value = absl::Minutes(5),
    .min = absl::Seconds(1),
    .max = absl::Hours(24 * 366 * 100),
    .doc = "How far a change's client_time may be ahead of the server; clock_skew beyond it."};
inline constexpr config::Duration kClientTimeBehindMax{
    .name = "limits.client_time_behind_max",
    .default_value = absl::Hours(24 * 366),
    .min = absl::Minutes(1),
    .max = absl::Hours(24 * 366 * 100),
    .doc = "How far a change's client_time may be behind the server; clock_skew beyond it."};
inline constexpr config::Int kJsonDepth{.name = "limits.json_depth",
                                        .default_value = 64,
                                        .min = 4,
                                        .max = 256,
                                        .unit = "levels",
                                        .doc = "How deep the JSON of a message may nest."};

inline constexpr config::String kSpoolPath{
    .name = "offline.storage_path",
    .doc = "The folder of stored operations; empty is `spool` in data_dir."};
inline constexpr config::Int kSpoolQueueSize{
    .name = "offline.max_queue_size",
    .default_value = 100'000,
    .min = 1,
    .max = 100'000'000,
    .unit = "submissions",
    .doc = "Submissions that are stored while the version service is away; more are refused."};
inline constexpr config::Bytes kSpoolBytesMax{
    .name = "offline.max_queue_bytes",
    .default_value = int64_t{1} << 30,
    .min = 1 << 20,
    .doc = "Bytes of stored submissions; more are refused."};
inline constexpr config::Duration kConnectivityCheckInterval{
    .name = "offline.connectivity_check_interval",
    .default_value = absl::Seconds(5),
    .min = absl::Milliseconds(50),
    .max = absl::Hours(1),
    .doc = "The longest wait between attempts to commit stored operations."};
inline constexpr config::Duration kTokenGrace{
    .name = "offline.token_grace",
    .default_value = absl::Hours(1),
    .min = absl::ZeroDuration(),
    .max = absl::Hours(24 * 365),
    .doc =
        "How long after the end of its token a stored operation is still committed, when no "
        "newer token of its device was seen; later it is parked as token_expired."};

inline constexpr config::Int kCommitBatchItems{
    .name = "gateway.commit_batch_items_max",
    .default_value = 512,
    .min = 1,
    .max = 4096,
    .unit = "operations",
    .doc = "Operations in one call to the version service; one larger batch goes alone."};
inline constexpr config::Int kCommitBatchesInFlight{
    .name = "gateway.commit_batches_in_flight_max",
    .default_value = 0,
    .min = 0,
    .max = 64,
    .unit = "calls",
    .doc =
        "Calls that commit, in flight per replica of the version service; another one joins when "
        "it is as large as those on average. 0 is half the processors, from two to four."};
inline constexpr config::Int kCommitQueueItems{
    .name = "gateway.commit_queue_items_max",
    .default_value = 65'536,
    .min = 1,
    .max = 10'000'000,
    .unit = "operations",
    .doc = "Operations that wait for a call; more are refused as unavailable."};
inline constexpr config::Duration kCommitTimeout{
    .name = "gateway.commit_timeout",
    .default_value = absl::Seconds(10),
    .min = absl::Milliseconds(100),
    .max = absl::Minutes(5),
    .doc = "How long a call to another service may take; dry runs and analyses may take a minute."};
inline constexpr config::Bool kAuditWrites{
    .name = "gateway.audit_writes",
    .default_value = false,
    .doc = "Whether every write is logged: who, what, outcome; no data."};

inline constexpr config::Duration kConflictCheckInterval{
    .name = "gateway.conflict_check_interval",
    .default_value = absl::Seconds(2),
    .min = absl::Milliseconds(20),
    .max = absl::Hours(1),
    .doc =
        "How often the worker looks for conflicts whose deadline has passed; it also wakes at the "
        "next deadline that it knows."};
inline constexpr config::Duration kConflictCheckJitter{
    .name = "gateway.conflict_check_jitter",
    .default_value = absl::Milliseconds(250),
    .min = absl::ZeroDuration(),
    .max = absl::Minutes(10),
    .doc = "Each wait of the worker is longer by up to this, so that gateways take turns."};
inline constexpr config::Int kConflictsPerRound{
    .name = "gateway.conflicts_per_round_max",
    .default_value = 200,
    .min = 1,
    .max = 500,
    .unit = "conflicts",
    .doc = "Conflicts that the worker is told of at once; more follow when these are done."};

inline constexpr config::Int kFeedRecentEvents{
    .name = "feed.recent_events_max",
    .default_value = 4096,
    .min = 1,
    .max = 1'000'000,
    .unit = "events",
    .doc = "Recent events of a space that are kept in memory for its subscribers."};
inline constexpr config::Bytes kFeedRecentBytes{.name = "feed.recent_bytes_max",
                                                .default_value = 4 << 20,
                                                .min = 64 << 10,
                                                .doc = "Their bytes, of one space."};
inline constexpr config::Bytes kFeedMemory{
    .name = "feed.memory_max",
    .default_value = 128 << 20,
    .min = 1 << 20,
    .doc = "Bytes of recent events of all spaces, per thread of the gateway."};
inline constexpr config::Int kFeedReadsInFlight{
    .name = "feed.reads_in_flight_max",
    .default_value = 4,
    .min = 1,
    .max = 256,
    .unit = "reads",
    .doc = "Reads of the log in flight, per thread of the gateway."};
inline constexpr config::Duration kFeedHeadCheckInterval{
    .name = "feed.head_check_interval",
    .default_value = absl::Seconds(1),
    .min = absl::Milliseconds(20),
    .max = absl::Minutes(1),
    .doc = "How often followed spaces are checked for changes that the bus has lost."};
inline constexpr config::Int kFeedResyncsPerSecond{
    .name = "feed.resyncs_per_second",
    .default_value = 200,
    .min = 1,
    .max = 1'000'000,
    .unit = "clients per second",
    .doc = "How fast clients are let start again from state when history was lost."};

inline constexpr config::Duration kLiveRepeatInterval{
    .name = "live.repeat_interval",
    .default_value = absl::Seconds(20),
    .min = absl::Seconds(1),
    .max = absl::Hours(1),
    .doc =
        "How often a gateway repeats the presence states of its sessions to the others; what is "
        "not "
        "repeated in 3.5 times this ends."};
inline constexpr config::Duration kLiveAnswerAfterMax{
    .name = "live.answer_after_max",
    .default_value = absl::Milliseconds(100),
    .min = absl::ZeroDuration(),
    .max = absl::Seconds(10),
    .doc = "Within what time, at random, gateways tell one that asks who is present in a space."};
inline constexpr config::Int kLivePresencesPerSpace{
    .name = "live.presences_per_space_max",
    .default_value = 10'000,
    .min = 1,
    .max = 1'000'000,
    .unit = "devices",
    .doc = "Devices of a space whose presence is told; the states of more are dropped."};
inline constexpr config::Duration kLiveReadyWaitMax{
    .name = "live.ready_wait_max",
    .default_value = absl::Seconds(1),
    .min = absl::ZeroDuration(),
    .max = absl::Minutes(1),
    .doc =
        "How long an answer `subscribed` waits at most for the bus to let presence and broadcasts "
        "of the space in."};

}  // namespace bdcsync::gateway
