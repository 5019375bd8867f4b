#include "services/gateway/protocol/client_message.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "services/gateway/protocol/conflict_request.h"
#include "services/gateway/protocol/field_reader.h"
#include "services/gateway/protocol/message_id.h"
#include "services/gateway/protocol/operation_message.h"

namespace bdcsync::gateway {
namespace {

using RequestOr = absl::StatusOr<ClientRequest>;

// Where 0 says that no time is meant; what is asked of times before is not there either.
constexpr int64_t kAsOfMsMin = 1;

template <typename Request>
RequestOr Done(const FieldReader& in, Request request) {
  if (!in.ok()) return in.status();
  return ClientRequest(std::move(request));
}

device_sync::v1::Network ReadNetwork(FieldReader& in) {
  return static_cast<device_sync::v1::Network>(
      in.Choice("network",
                {{"wifi", device_sync::v1::NETWORK_WIFI},
                 {"cellular", device_sync::v1::NETWORK_CELLULAR},
                 {"metered", device_sync::v1::NETWORK_METERED},
                 {"unknown", device_sync::v1::NETWORK_UNSPECIFIED}},
                device_sync::v1::NETWORK_UNSPECIFIED));
}

RequestOr ReadAuthenticate(FieldReader& in) {
  AuthenticateRequest request;
  request.token = in.Text("token", kTokenTextBytesMax);
  request.user_id = in.Text("user_id", entity::kSpaceBytesMax);
  request.device_id = in.Text("device_id", kDeviceIdBytesMax);
  request.network = ReadNetwork(in);
  if (const json::Value* client = in.Object("client")) {
    FieldReader fields(*client, "/client");
    request.client_name = fields.Text("name", kClientTextBytesMax);
    request.client_version = fields.Text("version", kClientTextBytesMax);
    request.client_platform = fields.Text("platform", kClientTextBytesMax);
    if (!fields.ok()) return fields.status();
  }
  return Done(in, std::move(request));
}

RequestOr ReadRefresh(FieldReader& in) {
  return Done(in, RefreshRequest{in.RequiredText("token", kTokenTextBytesMax)});
}

RequestOr ReadUpdateDevice(FieldReader& in) {
  constexpr int64_t kPercentMax = 100;
  constexpr int64_t kBytesPerSecondMax = int64_t{1} << 50;
  UpdateDeviceRequest request;
  request.state.set_network(ReadNetwork(in));
  request.state.set_battery_percent(
      static_cast<int32_t>(in.Int("battery_percent", 0, kPercentMax).value_or(-1)));
  request.state.set_charging(in.Bool("charging"));
  request.state.set_budget_bytes_per_s(
      in.Int("budget_bytes_per_s", 0, kBytesPerSecondMax).value_or(0));
  return Done(in, std::move(request));
}

RequestOr ReadPing(FieldReader& in) { return Done(in, PingRequest{}); }

RequestOr ReadSyncBatch(FieldReader& in, const MessageLimits& limits) {
  SyncBatchRequest request;
  request.atomic = in.Bool("atomic");
  const json::Value* operations = in.RequiredArray("operations", limits.batch_operations_max);
  if (operations == nullptr) return in.status();
  for (size_t i = 0; i < operations->array().size(); ++i) {
    const json::Value& one = operations->array()[i];
    const std::string path = absl::StrCat("/operations/", i);
    SyncBatchRequest::Item& item = request.items.emplace_back();
    item.status = one.is_object()
                      ? ReadOperation(one, path, item.operation)
                      : MakeErrorAt(Reason::kInvalidArgument, path, "must be an object");
  }
  return Done(in, std::move(request));
}

RequestOr ReadGet(FieldReader& in) {
  sync::v1::GetEntityRequest request;
  ReadEntityKey(in, *request.mutable_query()->mutable_entity());
  request.mutable_query()->set_version_id(in.Text("version_id", kVersionIdBytesMax));
  if (in.Has("as_of")) {
    request.mutable_query()->set_as_of_ms(std::max(in.TimeMs("as_of"), kAsOfMsMin));
  }
  return Done(in, std::move(request));
}

RequestOr ReadList(FieldReader& in) {
  sync::v1::ListEntitiesRequest request;
  request.set_space(ReadSpace(in));
  for (std::string& type : in.Texts("entity_types", kFilterEntriesMax, entity::kTypeBytesMax)) {
    request.add_entity_types(std::move(type));
  }
  request.set_page_token(in.Text("page_token", kTokenTextBytesMax));
  request.set_limit(static_cast<int32_t>(in.Limit("limit", kListLimitMax)));
  return Done(in, std::move(request));
}

RequestOr ReadHistory(FieldReader& in) {
  sync::v1::GetHistoryRequest request;
  ReadEntityKey(in, *request.mutable_entity());
  request.set_page_token(in.Text("page_token", kTokenTextBytesMax));
  request.set_limit(static_cast<int32_t>(in.Limit("limit", kHistoryLimitMax)));
  return Done(in, std::move(request));
}

RequestOr ReadDiff(FieldReader& in) {
  sync::v1::DiffRequest request;
  ReadEntityKey(in, *request.mutable_entity());
  request.set_from_version_id(in.RequiredText("from", kVersionIdBytesMax));
  request.set_to_version_id(in.Text("to", kVersionIdBytesMax));
  return Done(in, std::move(request));
}

RequestOr ReadSubscribe(FieldReader& in) {
  SubscribeRequest request;
  SubscriptionSpec& spec = request.spec;
  spec.space = ReadSpace(in);
  spec.cursor = in.Text("cursor", kVersionIdBytesMax);
  spec.mode = static_cast<SubscriptionMode>(
      in.Choice("mode",
                {{"changes", static_cast<int>(SubscriptionMode::kChanges)},
                 {"latest", static_cast<int>(SubscriptionMode::kLatest)}},
                static_cast<int>(SubscriptionMode::kChanges)));
  spec.payload = static_cast<SubscriptionPayload>(
      in.Choice("payload",
                {{"data", static_cast<int>(SubscriptionPayload::kData)},
                 {"patch", static_cast<int>(SubscriptionPayload::kPatch)},
                 {"none", static_cast<int>(SubscriptionPayload::kNone)}},
                static_cast<int>(SubscriptionPayload::kData)));
  if (const json::Value* filter = in.Object("filter")) {
    FieldReader fields(*filter, "/filter");
    spec.filter.entity_types =
        fields.Texts("entity_types", kFilterEntriesMax, entity::kTypeBytesMax);
    spec.filter.entity_ids = fields.Texts("entity_ids", kFilterEntriesMax, entity::kIdBytesMax);
    spec.filter.categories = fields.Texts("categories", kFilterEntriesMax, kCategoryBytesMax);
    spec.filter.branches = fields.Texts("branches", kFilterEntriesMax, entity::kBranchBytesMax);
    if (!fields.ok()) return fields.status();
  }
  return Done(in, std::move(request));
}

RequestOr ReadSubscription(FieldReader& in) {
  return Done(in, SubscriptionRequest{in.RequiredText("subscription_id", kVersionIdBytesMax)});
}

RequestOr ReadAck(FieldReader& in) {
  AckRequest request;
  request.space = ReadSpace(in);
  request.cursor = in.RequiredText("cursor", kVersionIdBytesMax);
  return Done(in, std::move(request));
}

RequestOr ReadPresence(FieldReader& in) {
  PresenceRequest request;
  request.space = ReadSpace(in);
  if (const json::Value* state = in.RequiredValue("state")) {
    if (!state->is_object() && !state->is_null())
      in.Fail("state", "state must be an object or null");
    json::AppendTo(*state, request.state);
  }
  return Done(in, std::move(request));
}

RequestOr ReadBroadcast(FieldReader& in) {
  BroadcastRequest request;
  request.space = ReadSpace(in);
  request.topic = in.RequiredText("topic", kTopicBytesMax);
  if (const json::Value* payload = in.RequiredValue("payload")) {
    json::AppendTo(*payload, request.payload);
  }
  return Done(in, std::move(request));
}

RequestOr ReadPurged(FieldReader& in) {
  enum Scope { kSpace, kDevice };
  PurgedRequest request;
  if (!in.Has("scope")) in.Fail("scope", "scope is required");
  request.device = in.Choice("scope", {{"space", kSpace}, {"device", kDevice}}, kSpace) == kDevice;
  if (!request.device) {
    if (!in.Has("space")) in.Fail("space", "space is required");
    request.space = ReadSpace(in);
  }
  return Done(in, std::move(request));
}

MessageType TypeNamed(absl::string_view name) {
  static const auto& types = *new absl::flat_hash_map<absl::string_view, MessageType>{
      {"authenticate", MessageType::kAuthenticate},
      {"refresh", MessageType::kRefresh},
      {"update_device", MessageType::kUpdateDevice},
      {"ping", MessageType::kPing},
      {"sync_request", MessageType::kSyncRequest},
      {"sync_batch", MessageType::kSyncBatch},
      {"get", MessageType::kGet},
      {"list", MessageType::kList},
      {"history", MessageType::kHistory},
      {"diff", MessageType::kDiff},
      {"subscribe", MessageType::kSubscribe},
      {"pause", MessageType::kPause},
      {"resume", MessageType::kResume},
      {"unsubscribe", MessageType::kUnsubscribe},
      {"ack", MessageType::kAck},
      {"presence", MessageType::kPresence},
      {"broadcast", MessageType::kBroadcast},
      {"purged", MessageType::kPurged},
      {"conflicts", MessageType::kConflicts},
      {"resolve_conflict", MessageType::kResolveConflict},
  };
  const auto entry = types.find(name);
  return entry == types.end() ? MessageType::kUnknown : entry->second;
}

RequestOr ReadRequest(const json::Value& object, const MessageLimits& limits,
                      ClientMessage& message) {
  FieldReader in(object, "");
  switch (message.type) {
    case MessageType::kAuthenticate:
      return ReadAuthenticate(in);
    case MessageType::kRefresh:
      return ReadRefresh(in);
    case MessageType::kUpdateDevice:
      return ReadUpdateDevice(in);
    case MessageType::kPing:
      return ReadPing(in);
    case MessageType::kSyncRequest: {
      SyncRequest request;
      const absl::Status status = ReadOperation(object, "", request.operation);
      if (status.ok()) return ClientRequest(std::move(request));
      message.refused_operation = std::move(request.operation);
      return status;
    }
    case MessageType::kSyncBatch:
      return ReadSyncBatch(in, limits);
    case MessageType::kGet:
      return ReadGet(in);
    case MessageType::kList:
      return ReadList(in);
    case MessageType::kHistory:
      return ReadHistory(in);
    case MessageType::kDiff:
      return ReadDiff(in);
    case MessageType::kSubscribe:
      return ReadSubscribe(in);
    case MessageType::kPause:
    case MessageType::kResume:
    case MessageType::kUnsubscribe:
      return ReadSubscription(in);
    case MessageType::kAck:
      return ReadAck(in);
    case MessageType::kPresence:
      return ReadPresence(in);
    case MessageType::kBroadcast:
      return ReadBroadcast(in);
    case MessageType::kPurged:
      return ReadPurged(in);
    case MessageType::kConflicts: {
      ConflictsRequest request = ReadConflicts(in);
      return Done(in, std::move(request));
    }
    case MessageType::kResolveConflict: {
      ResolveConflictRequest request = ReadResolveConflict(in);
      return Done(in, std::move(request));
    }
    case MessageType::kUnknown:
      break;
  }
  return MakeErrorAt(Reason::kUnknownType, "/type", "this server knows no message of this type");
}

}  // namespace

ClientMessage ParseClientMessage(absl::string_view text, const MessageLimits& limits) {
  ClientMessage message;
  json::ParseLimits parse_limits;
  parse_limits.depth_max = limits.depth_max;
  const auto value = json::Parse(text, parse_limits);
  if (!value.ok()) {
    message.id = SalvageMessageId(text);
    message.request = value.status();
    return message;
  }
  if (!value->is_object()) {
    message.request = MakeError(Reason::kBadMessage, "a message is a JSON object");
    return message;
  }
  const json::Value* id = value->Find("id");
  if (id != nullptr) message.id = MessageIdOf(*id);
  const json::Value* type = value->Find("type");
  if (type == nullptr || !type->is_string()) {
    message.request = MakeErrorAt(Reason::kBadMessage, "/type", "type must be a string");
    return message;
  }
  message.type = TypeNamed(type->string());
  if (id != nullptr && message.id.empty()) {
    message.request =
        MakeErrorAt(Reason::kInvalidArgument, "/id", "id must be a short string or a number");
    return message;
  }
  message.request = ReadRequest(*value, limits, message);
  return message;
}

}  // namespace bdcsync::gateway
