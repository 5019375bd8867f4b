// What the server says: every answer and push of docs/protocol.md as JSON text. `id` is the JSON
// text of the request's id, empty when it had none. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/protocol/client_message.h"

namespace bdcsync::gateway {

// A failed status as clients are told it.
common::v1::Error ErrorOf(const absl::Status& status);
// What a service behind refused as a failed status.
absl::Status StatusOf(const common::v1::Error& error);
// A refused operation, with what is known of it.
sync::v1::OperationResult RejectedResult(const common::v1::Operation& operation,
                                         const absl::Status& why);

struct AuthenticatedInfo {
  std::string session_id;
  std::string user_id;
  std::string device_id;
  std::string epoch;
  absl::Time server_time;
  absl::Duration heartbeat_interval;
  absl::Time token_expires;  // InfiniteFuture: left out.
  int64_t message_bytes_max = 0;
  int64_t operations_per_s = 0;
  int64_t subscriptions_max = 0;
  int64_t in_flight_max = 0;
};

std::string AuthenticatedMessage(absl::string_view id, const AuthenticatedInfo& info);
std::string RefreshedMessage(absl::string_view id, absl::Time token_expires);
std::string DeviceUpdatedMessage(absl::string_view id);
std::string PongMessage(absl::string_view id, absl::Time server_time);

// Also the push that tells a queued operation's outcome.
std::string SyncResponseMessage(absl::string_view id, const sync::v1::OperationResult& result);
// An atomic batch that was not applied is no success, and has the error of the operation to blame.
std::string SyncBatchResponseMessage(absl::string_view id, bool atomic,
                                     const std::vector<sync::v1::OperationResult>& results);

std::string EntityMessage(absl::string_view id, const version::v1::EntityState& entity);
std::string EntitiesMessage(absl::string_view id, const sync::v1::ListEntitiesResponse& page);
std::string HistoryMessage(absl::string_view id, const sync::v1::GetHistoryResponse& page);
std::string DiffMessage(absl::string_view id, const sync::v1::DiffResponse& diff);

std::string SubscribedMessage(absl::string_view id, absl::string_view subscription_id,
                              const Subscribed& subscribed);
// {type, success, subscription_id}: "paused", "resumed", "unsubscribed".
std::string SubscriptionMessage(absl::string_view type, absl::string_view id,
                                absl::string_view subscription_id);
std::string BroadcastSentMessage(absl::string_view id);

// The failure of a request of `type`: of the request's answer type where that says how it failed
// (authenticate, refresh, sync_batch), else `error`.
std::string FailureMessage(MessageType type, absl::string_view id, const absl::Status& why);

// Pushes.
// {type: "revoked", scope: "space", space, purge: true}; of the whole device without a space.
std::string RevokedMessage(absl::string_view space);
std::string TokenExpiringMessage(absl::Time expires);
std::string GoodbyeMessage(uint16_t code, bool reconnect, absl::Duration after_min,
                           absl::Duration after_max);
std::string ResyncMessage(absl::string_view subscription_id, absl::string_view reason,
                          absl::Duration after);
// An `error` about a subscription that has ended by itself.
std::string SubscriptionEndedMessage(absl::string_view subscription_id, const absl::Status& why);

}  // namespace bdcsync::gateway
