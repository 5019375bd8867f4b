// What clients say: one text frame to one typed request. Strict about the types of the fields it
// knows, lenient about those it does not. Pure; never fails on any input but by a coded error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "bdcsync/sync/v1/desk.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

inline constexpr size_t kOpIdBytesMax = 64;          // Of `op_id`.
inline constexpr size_t kVersionIdBytesMax = 64;     // Of version ids.
inline constexpr size_t kDeviceIdBytesMax = 128;     // Of `device_id`.
inline constexpr size_t kClientTextBytesMax = 128;   // Of the client's name, version, platform.
inline constexpr size_t kNoteBytesMax = 1024;        // Of `message`.
inline constexpr size_t kMetadataBytesMax = 4096;    // Of `metadata`, as JSON text.
inline constexpr size_t kCategoryBytesMax = 64;      // Of `category`.
inline constexpr size_t kTopicBytesMax = 128;        // Of a broadcast's `topic`.
inline constexpr size_t kTokenTextBytesMax = 16384;  // Of a JWT or page token, before it is read.
inline constexpr size_t kFilterEntriesMax = 1000;    // In each list of a filter.
inline constexpr int64_t kListLimitMax = 1000;
inline constexpr int64_t kHistoryLimitMax = 500;

struct AuthenticateRequest {
  std::string token;
  std::string user_id;  // Counts only where no token is required.
  std::string device_id;
  std::string client_name;
  std::string client_version;
  std::string client_platform;
  device_sync::v1::Network network = device_sync::v1::NETWORK_UNSPECIFIED;
};
struct RefreshRequest {
  std::string token;
};
struct UpdateDeviceRequest {
  device_sync::v1::DeviceState state;
};
struct PingRequest {};
struct SyncRequest {
  common::v1::Operation operation;
};
struct SyncBatchRequest {
  struct Item {
    common::v1::Operation operation;  // As far as it could be read.
    absl::Status status;              // Why it is refused already.
  };
  std::vector<Item> items;
  bool atomic = false;
};
struct SubscribeRequest {
  SubscriptionSpec spec;  // An empty space means the caller's own.
};
// pause, resume or unsubscribe.
struct SubscriptionRequest {
  std::string subscription_id;
};
struct AckRequest {
  std::string space;
  std::string cursor;
};
struct PresenceRequest {
  std::string space;
  std::string state;  // JSON text.
};
struct BroadcastRequest {
  std::string space;
  std::string topic;
  std::string payload;  // JSON text.
};
// Data was purged as `revoked` asked.
struct PurgedRequest {
  bool device = false;  // Everything; else only `space`.
  std::string space;
};

struct ConflictsRequest {
  sync::v1::ListConflictsRequest list;
  sync::v1::GetConflictRequest one;  // Counts alone when it names a conflict.
};
struct ResolveConflictRequest {
  sync::v1::ConflictDecision decision;
};

enum class MessageType : uint8_t {
  kUnknown,
  kAuthenticate,
  kRefresh,
  kUpdateDevice,
  kPing,
  kSyncRequest,
  kSyncBatch,
  kGet,
  kList,
  kHistory,
  kDiff,
  kSubscribe,
  kPause,
  kResume,
  kUnsubscribe,
  kAck,
  kPresence,
  kBroadcast,
  kPurged,
  kConflicts,
  kResolveConflict,
};
inline constexpr size_t kMessageTypes = static_cast<size_t>(MessageType::kResolveConflict) + 1;

using ClientRequest =
    std::variant<AuthenticateRequest, RefreshRequest, UpdateDeviceRequest, PingRequest, SyncRequest,
                 SyncBatchRequest, sync::v1::GetEntityRequest, sync::v1::ListEntitiesRequest,
                 sync::v1::GetHistoryRequest, sync::v1::DiffRequest, SubscribeRequest,
                 SubscriptionRequest, AckRequest, PresenceRequest, BroadcastRequest, PurgedRequest,
                 ConflictsRequest, ResolveConflictRequest>;

struct ClientMessage {
  MessageType type = MessageType::kUnknown;
  std::string id;  // JSON text of a string or number, to be echoed; empty: none.
  // Not OK:
  //   kBadMessage, kTooDeep  not a JSON object with a `type`: only the id is known, if it is.
  //   kUnknownType           there is no such message here.
  //   kInvalidArgument, kTooLarge  a field is wrong; the path names it.
  absl::StatusOr<ClientRequest> request = absl::UnknownError("");
  // Of a sync_request that is not OK: what could be read of it.
  common::v1::Operation refused_operation;
};

struct MessageLimits {
  size_t depth_max = 64;
  size_t batch_operations_max = 1000;
};

ClientMessage ParseClientMessage(absl::string_view text, const MessageLimits& limits = {});

}  // namespace bdcsync::gateway
