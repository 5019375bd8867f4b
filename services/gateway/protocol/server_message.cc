#include "services/gateway/protocol/server_message.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/gateway/protocol/json_writer.h"
#include "services/gateway/protocol/live_message.h"
#include "services/gateway/protocol/message_parts.h"
#include "services/gateway/protocol/names.h"

namespace bdcsync::gateway {
namespace {

bool Succeeded(const sync::v1::OperationResult& result) {
  return result.outcome() != common::v1::OUTCOME_REJECTED &&
         result.outcome() != common::v1::OUTCOME_UNSPECIFIED;
}

// Why an atomic batch was not applied: the first error that is not about another operation's.
// Null: it was applied.
const common::v1::Error* BlamedError(const std::vector<sync::v1::OperationResult>& results) {
  const common::v1::Error* blamed = nullptr;
  for (const sync::v1::OperationResult& result : results) {
    if (!result.has_error()) continue;
    if (result.error().code() != InfoOf(Reason::kDependsOnRejected).name) return &result.error();
    if (blamed == nullptr) blamed = &result.error();
  }
  return blamed;
}

// Everything of a sync_response but type, id and success.
void WriteResult(JsonWriter& writer, const sync::v1::OperationResult& result) {
  writer.Text("op_id", result.op_id());
  writer.Text("status", OutcomeName(result.outcome()));
  WriteKey(writer, result.entity());
  if (!result.version_id().empty()) {
    writer.Text("version_id", result.version_id());
    writer.Int("revision", result.revision());
  }
  writer.TextUnlessEmpty("cursor", result.cursor());
  if (!result.data().empty()) writer.Raw("data", result.data());
  if (!result.text().empty()) writer.Raw("text", result.text());
  if (result.deleted()) writer.Bool("deleted", true);
  writer.TextUnlessEmpty("conflict_id", result.conflict_id());
  if (result.has_error()) WriteError(writer, result.error());
}

void WriteEntity(JsonWriter& writer, const version::v1::EntityState& entity) {
  WriteKey(writer, entity.entity());
  if (!entity.deleted() && !entity.data().empty()) writer.Raw("data", entity.data());
  writer.Text("version_id", entity.version_id());
  writer.Int("revision", entity.revision());
  writer.Bool("deleted", entity.deleted());
  writer.Bool("has_conflict", entity.has_conflict());
  writer.TextUnlessEmpty("category", entity.category());
  writer.Time("time", entity.time_ms());
}

void AppendVersion(const version::v1::VersionInfo& version, std::string& out) {
  const version::v1::VersionMeta& meta = version.meta();
  JsonWriter writer(out);
  writer.Text("version_id", version.version_id());
  writer.Int("revision", version.revision());
  writer.TextArray("parents", meta.parents());
  writer.Text("operation", OperationName(meta.operation()));
  writer.Text("op_id", meta.op_id());
  writer.Text("user_id", meta.user_id());
  writer.Text("device_id", meta.device_id());
  writer.Time("time", version.time_ms());
  writer.TextUnlessEmpty("message", meta.message());
  writer.TextArray("changed_paths", meta.changed_paths());
  writer.End();
}

absl::string_view FailureType(MessageType type) {
  switch (type) {
    case MessageType::kAuthenticate:
      return "authenticated";
    case MessageType::kRefresh:
      return "refreshed";
    case MessageType::kSyncRequest:
      return "sync_response";
    case MessageType::kSyncBatch:
      return "sync_batch_response";
    case MessageType::kResolveConflict:
      return "conflict_resolved";
    default:
      return "error";
  }
}

}  // namespace

common::v1::Error ErrorOf(const absl::Status& status) {
  common::v1::Error error;
  const ReasonInfo& info = InfoOf(ReasonOf(status));
  error.set_code(std::string(info.name));
  error.set_message(std::string(status.message()));
  error.set_retryable(info.retryable);
  if (const auto after = RetryAfterOf(status)) {
    error.set_retry_after_ms(absl::ToInt64Milliseconds(*after));
  }
  error.set_path(PathOf(status));
  return error;
}

absl::Status StatusOf(const common::v1::Error& error) {
  const Reason reason = ReasonFromName(error.code()).value_or(Reason::kInternal);
  return MakeErrorAt(reason, error.path(), error.message());
}

sync::v1::OperationResult RejectedResult(const common::v1::Operation& operation,
                                         const absl::Status& why) {
  sync::v1::OperationResult result;
  result.set_op_id(operation.op_id());
  result.set_outcome(common::v1::OUTCOME_REJECTED);
  *result.mutable_entity() = operation.entity();
  *result.mutable_error() = ErrorOf(why);
  return result;
}

std::string AuthenticatedMessage(absl::string_view id, const AuthenticatedInfo& info) {
  return Answer("authenticated", id, true, [&](JsonWriter& writer) {
    writer.Text("session_id", info.session_id);
    writer.Text("user_id", info.user_id);
    writer.Text("device_id", info.device_id);
    writer.Text("epoch", info.epoch);
    writer.Time("server_time", absl::ToUnixMillis(info.server_time));
    writer.Raw("heartbeat_interval_s",
               absl::StrCat(absl::ToDoubleSeconds(info.heartbeat_interval)));
    if (info.token_expires != absl::InfiniteFuture()) {
      writer.Time("token_expires_at", absl::ToUnixMillis(info.token_expires));
    }
    writer.Value("limits", [&](std::string& out) {
      JsonWriter limits(out);
      limits.Int("message_bytes_max", info.message_bytes_max);
      limits.Int("operations_per_s", info.operations_per_s);
      limits.Int("subscriptions_max", info.subscriptions_max);
      limits.Int("in_flight_max", info.in_flight_max);
      limits.End();
    });
  });
}

std::string RefreshedMessage(absl::string_view id, absl::Time token_expires) {
  return Answer("refreshed", id, true, [&](JsonWriter& writer) {
    writer.Time("token_expires_at", absl::ToUnixMillis(token_expires));
  });
}

std::string DeviceUpdatedMessage(absl::string_view id) {
  // What a device receives does not depend on its state yet: the plan is to send everything.
  return Answer("device_updated", id, true,
                [](JsonWriter& writer) { writer.Raw("plan", R"({"deferred":[]})"); });
}

std::string PongMessage(absl::string_view id, absl::Time server_time) {
  return Answer("pong", id, true, [&](JsonWriter& writer) {
    writer.Time("server_time", absl::ToUnixMillis(server_time));
  });
}

std::string SyncResponseMessage(absl::string_view id, const sync::v1::OperationResult& result) {
  return Answer("sync_response", id, Succeeded(result),
                [&](JsonWriter& writer) { WriteResult(writer, result); });
}

std::string SyncBatchResponseMessage(absl::string_view id, bool atomic,
                                     const std::vector<sync::v1::OperationResult>& results) {
  const common::v1::Error* const error = atomic ? BlamedError(results) : nullptr;
  return Answer("sync_batch_response", id, error == nullptr, [&](JsonWriter& writer) {
    writer.Array("results", results, [](const sync::v1::OperationResult& result, std::string& out) {
      JsonWriter one(out);
      one.Bool("success", Succeeded(result));
      WriteResult(one, result);
      one.End();
    });
    if (error != nullptr) WriteError(writer, *error);
  });
}

std::string EntityMessage(absl::string_view id, const version::v1::EntityState& entity) {
  return Answer("entity", id, true, [&](JsonWriter& writer) { WriteEntity(writer, entity); });
}

std::string EntitiesMessage(absl::string_view id, const sync::v1::ListEntitiesResponse& page) {
  return Answer("entities", id, true, [&](JsonWriter& writer) {
    writer.Array("entities", page.entities(),
                 [](const version::v1::EntityState& entity, std::string& out) {
                   JsonWriter one(out);
                   WriteEntity(one, entity);
                   one.End();
                 });
    writer.TextUnlessEmpty("next_page_token", page.next_page_token());
  });
}

std::string HistoryMessage(absl::string_view id, const sync::v1::GetHistoryResponse& page) {
  return Answer("history", id, true, [&](JsonWriter& writer) {
    writer.Array("versions", page.versions(), AppendVersion);
    writer.TextUnlessEmpty("next_page_token", page.next_page_token());
  });
}

std::string DiffMessage(absl::string_view id, const sync::v1::DiffResponse& diff) {
  return Answer("diff", id, true, [&](JsonWriter& writer) {
    writer.Raw("changes", diff.changes().empty() ? "[]" : absl::string_view(diff.changes()));
  });
}

std::string SubscribedMessage(absl::string_view id, absl::string_view subscription_id,
                              const Subscribed& subscribed) {
  return Answer("subscribed", id, true, [&](JsonWriter& writer) {
    writer.Text("subscription_id", subscription_id);
    writer.Text("cursor", subscribed.cursor);
    writer.Text("head", subscribed.head);
  });
}

std::string SubscriptionMessage(absl::string_view type, absl::string_view id,
                                absl::string_view subscription_id) {
  return Answer(type, id, true,
                [&](JsonWriter& writer) { writer.Text("subscription_id", subscription_id); });
}

std::string BroadcastSentMessage(absl::string_view id) {
  return Answer("broadcast_sent", id, true, [](JsonWriter&) {});
}

std::string FailureMessage(MessageType type, absl::string_view id, const absl::Status& why) {
  const common::v1::Error error = ErrorOf(why);
  return Answer(FailureType(type), id, false, [&](JsonWriter& writer) {
    if (type == MessageType::kSyncBatch) writer.Raw("results", "[]");
    WriteError(writer, error);
  });
}

std::string RevokedMessage(absl::string_view space) {
  return Push("revoked", [&](JsonWriter& writer) {
    writer.Text("scope", space.empty() ? "device" : "space");
    writer.TextUnlessEmpty("space", space);
    writer.Bool("purge", true);
  });
}

std::string TokenExpiringMessage(absl::Time expires) {
  return Push("token_expiring",
              [&](JsonWriter& writer) { writer.Time("expires_at", absl::ToUnixMillis(expires)); });
}

std::string GoodbyeMessage(uint16_t code, bool reconnect, absl::Duration after_min,
                           absl::Duration after_max) {
  return Push("goodbye", [&](JsonWriter& writer) {
    writer.Int("code", code);
    writer.Bool("reconnect", reconnect);
    writer.Int("after_ms_min", absl::ToInt64Milliseconds(after_min));
    writer.Int("after_ms_max", absl::ToInt64Milliseconds(after_max));
  });
}

std::string ResyncMessage(absl::string_view subscription_id, absl::string_view reason,
                          absl::Duration after) {
  return Push("resync", [&](JsonWriter& writer) {
    writer.Text("subscription_id", subscription_id);
    writer.Text("reason", reason);
    writer.Int("after_ms", absl::ToInt64Milliseconds(after));
  });
}

std::string SubscriptionEndedMessage(absl::string_view subscription_id, const absl::Status& why) {
  const common::v1::Error error = ErrorOf(why);
  return Push("error", [&](JsonWriter& writer) {
    writer.Bool("success", false);
    writer.Text("subscription_id", subscription_id);
    WriteError(writer, error);
  });
}

std::string PresenceMessage(absl::string_view space, absl::string_view user_id,
                            absl::string_view device_id, absl::string_view state) {
  return Push("presence", [&](JsonWriter& writer) {
    writer.Text("space", space);
    writer.Text("user_id", user_id);
    writer.Text("device_id", device_id);
    writer.Raw("state", state);
  });
}

std::string BroadcastMessage(absl::string_view space, absl::string_view topic,
                             absl::string_view payload, absl::string_view user_id,
                             absl::string_view device_id) {
  return Push("broadcast", [&](JsonWriter& writer) {
    writer.Text("space", space);
    writer.Text("topic", topic);
    writer.Raw("payload", payload);
    writer.Text("user_id", user_id);
    writer.Text("device_id", device_id);
  });
}

}  // namespace bdcsync::gateway
