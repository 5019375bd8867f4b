#include "services/gateway/options.h"

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "libs/app/config.h"
#include "services/gateway/config.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kCommitBatchesInFlightByDefaultMin = 2;
constexpr size_t kCommitBatchesInFlightByDefaultMax = 4;
// See docs/decisions/0009-lanes-by-entity.md.
constexpr size_t kCommitBatchJoinPercent = 100;

size_t HalfTheProcessors() { return std::thread::hardware_concurrency() / 2; }

template <typename Key>
size_t SizeOf(const config::Values& values, const Key& key) {
  return static_cast<size_t>(values.Get(key));
}

}  // namespace

void DeclareGatewayConfig(config::Schema& schema) {
  const auto add = [&schema](const auto&... keys) { (schema.Add(keys), ...); };
  add(kWebSocketPort, kThreads, kMaxConnections, kMaxMessageSize, kHeartbeatInterval,
      kHandshakeTimeout, kCompressionEnabled, kCompressionThreshold, kQueuedBytesLow,
      kQueuedBytesHigh, kQueuedBytesMax, kReconnectAfterMin, kReconnectAfterMax, kTlsCertFile,
      kTlsKeyFile);
  add(kJwtSecret, kJwtKeysDir, kJwtKeysInterval, kRequireAuthentication, kAuthenticateTimeout,
      kDeviceCheckInterval, kAllowedOrigins);
  add(kOperationsPerSecond, kOperationsBurst, kOperationsPerBatch, kSubscriptionsPerSession,
      kInFlightPerSession, kSessionsPerUser, kListBytesMax, kLiveMessagesPerSecond,
      kClientTimeAheadMax, kClientTimeBehindMax, kJsonDepth);
  add(kSpoolPath, kSpoolQueueSize, kSpoolBytesMax, kConnectivityCheckInterval, kTokenGrace);
  add(kCommitBatchItems, kCommitBatchesInFlight, kCommitQueueItems, kCommitTimeout, kAuditWrites);
  add(kConflictCheckInterval, kConflictCheckJitter, kConflictsPerRound);
  add(kFeedRecentEvents, kFeedRecentBytes, kFeedMemory, kFeedReadsInFlight, kFeedHeadCheckInterval,
      kFeedResyncsPerSecond, kLiveRepeatInterval, kLiveAnswerAfterMax, kLivePresencesPerSpace,
      kLiveReadyWaitMax);
}

ServerOptions ServerOptionsFrom(const config::Values& values) {
  ServerOptions options;
  options.listen_address = values.Get(app::kListenAddress);
  options.port = static_cast<int>(values.Get(kWebSocketPort));
  options.threads = static_cast<int>(values.Get(kThreads));
  if (options.threads == 0) {
    options.threads = std::max(1, static_cast<int>(HalfTheProcessors()));
  }
  options.connections_max = SizeOf(values, kMaxConnections);
  options.message_bytes_max = SizeOf(values, kMaxMessageSize);
  options.handshake_timeout = values.Get(kHandshakeTimeout);
  options.heartbeat_interval = values.Get(kHeartbeatInterval);
  options.compression_enabled = values.Get(kCompressionEnabled);
  options.compression_threshold_bytes = SizeOf(values, kCompressionThreshold);
  options.allowed_origins = values.Get(kAllowedOrigins);
  options.tls_cert_file = values.Get(kTlsCertFile);
  options.tls_key_file = values.Get(kTlsKeyFile);
  options.queued_bytes_low = SizeOf(values, kQueuedBytesLow);
  options.queued_bytes_high = SizeOf(values, kQueuedBytesHigh);
  options.queued_bytes_max = SizeOf(values, kQueuedBytesMax);
  return options;
}

SessionOptions SessionOptionsFrom(const config::Values& values) {
  SessionOptions options;
  options.require_authentication = values.Get(kRequireAuthentication);
  options.authenticate_timeout = values.Get(kAuthenticateTimeout);
  options.heartbeat_interval = values.Get(kHeartbeatInterval);
  options.message_bytes_max = SizeOf(values, kMaxMessageSize);
  options.operations_per_s = values.Get(kOperationsPerSecond);
  options.subscriptions_max = SizeOf(values, kSubscriptionsPerSession);
  options.in_flight_max = SizeOf(values, kInFlightPerSession);
  const size_t high = SizeOf(values, kQueuedBytesHigh);
  const size_t room = std::max(SizeOf(values, kQueuedBytesMax), high) - high;
  options.reads_at_once_max = std::max<size_t>(1, room / 2 / options.message_bytes_max);
  options.held_answer_bytes_max = high;
  options.sessions_per_user_max = SizeOf(values, kSessionsPerUser);
  options.live_messages_per_s = values.Get(kLiveMessagesPerSecond);
  options.batch_operations_max = SizeOf(values, kOperationsPerBatch);
  options.json_depth_max = SizeOf(values, kJsonDepth);
  options.reconnect_after_min = values.Get(kReconnectAfterMin);
  options.reconnect_after_max =
      std::max(values.Get(kReconnectAfterMax), options.reconnect_after_min);
  options.drain_timeout = values.Get(app::kDrainTimeout);
  return options;
}

FeedLimits FeedLimitsFrom(const config::Values& values) {
  FeedLimits limits;
  limits.ring_events_max = SizeOf(values, kFeedRecentEvents);
  limits.ring_bytes_max = SizeOf(values, kFeedRecentBytes);
  limits.recent_bytes_max = SizeOf(values, kFeedMemory);
  limits.reads_in_flight_max = SizeOf(values, kFeedReadsInFlight);
  limits.head_check_interval = values.Get(kFeedHeadCheckInterval);
  limits.sink_queued_bytes_max = SizeOf(values, kQueuedBytesHigh);
  limits.resyncs_per_second = SizeOf(values, kFeedResyncsPerSecond);
  return limits;
}

LiveLimits LiveLimitsFrom(const config::Values& values) {
  constexpr double kRepetitions = 3.5;  // Of which three may be lost.
  LiveLimits limits;
  limits.repeat_interval = values.Get(kLiveRepeatInterval);
  limits.expire_after = kRepetitions * limits.repeat_interval;
  limits.answer_after_max = values.Get(kLiveAnswerAfterMax);
  limits.presences_per_space_max = SizeOf(values, kLivePresencesPerSpace);
  limits.ready_wait_max = values.Get(kLiveReadyWaitMax);
  return limits;
}

PipelineLimits PipelineLimitsFrom(const config::Values& values) {
  PipelineLimits limits;
  limits.operation.data_bytes_max = SizeOf(values, kMaxMessageSize);
  limits.operation.client_time_ahead_max = values.Get(kClientTimeAheadMax);
  limits.operation.client_time_behind_max = values.Get(kClientTimeBehindMax);
  limits.rate.per_second = static_cast<double>(values.Get(kOperationsPerSecond));
  limits.rate.burst = static_cast<double>(values.Get(kOperationsBurst));
  limits.operations_per_batch_max = SizeOf(values, kOperationsPerBatch);
  limits.batcher.batch_items_max = SizeOf(values, kCommitBatchItems);
  limits.batcher.in_flight_max = SizeOf(values, kCommitBatchesInFlight);
  if (limits.batcher.in_flight_max == 0) {
    limits.batcher.in_flight_max =
        std::clamp(HalfTheProcessors(), kCommitBatchesInFlightByDefaultMin,
                   kCommitBatchesInFlightByDefaultMax);
  }
  limits.batcher.join_percent = kCommitBatchJoinPercent;
  limits.batcher.queued_items_max = SizeOf(values, kCommitQueueItems);
  return limits;
}

ReadLimits ReadLimitsFrom(const config::Values& values) {
  ReadLimits limits;
  limits.list_bytes_max = values.Get(kListBytesMax);
  return limits;
}

queue::QueueLimits QueueLimitsFrom(const config::Values& values) {
  queue::QueueLimits limits;
  limits.items_max = SizeOf(values, kSpoolQueueSize);
  limits.bytes_max = values.Get(kSpoolBytesMax);
  limits.backoff_max = values.Get(kConnectivityCheckInterval);
  limits.backoff_initial = std::min(limits.backoff_initial, limits.backoff_max);
  return limits;
}

SpoolLimits SpoolLimitsFrom(const config::Values& values) {
  SpoolLimits limits;
  limits.check_interval = values.Get(kConnectivityCheckInterval);
  limits.retry_after_min = std::min(limits.retry_after_min, limits.check_interval);
  return limits;
}

KnownAccessLimits KnownAccessLimitsFrom(const config::Values& values) {
  KnownAccessLimits limits;
  limits.token_grace = values.Get(kTokenGrace);
  return limits;
}

DeviceStandingLimits DeviceStandingLimitsFrom(const config::Values& values) {
  DeviceStandingLimits limits;
  limits.age_max = values.Get(kDeviceCheckInterval);
  limits.retry_after = std::min(limits.retry_after, limits.age_max);
  return limits;
}

ConflictWorkerOptions ConflictWorkerOptionsFrom(const config::Values& values) {
  ConflictWorkerOptions options;
  options.interval = values.Get(kConflictCheckInterval);
  options.jitter = values.Get(kConflictCheckJitter);
  options.conflicts_per_round_max = static_cast<int32_t>(values.Get(kConflictsPerRound));
  return options;
}

std::string SpoolFolder(const config::Values& values) {
  const std::string folder = values.Get(kSpoolPath);
  return folder.empty() ? absl::StrCat(values.Get(app::kDataDir), "/spool") : folder;
}

}  // namespace bdcsync::gateway
