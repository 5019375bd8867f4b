#include "clients/cli/render.h"
#include "clients/cli/words.h"
#include "libs/base/errors.h"
#include "libs/json/parse.h"

namespace bdcsync::cli {
namespace {

// Absent rather than empty: what was not said is left out.
void SetText(json::Value& object, absl::string_view name, const std::string& text) {
  if (!text.empty()) object.Set(name, text);
}

void SetEntity(json::Value& object, const common::v1::EntityKey& key) {
  object.Set("space", key.space());
  object.Set("entity_type", key.entity_type());
  object.Set("entity_id", key.entity_id());
  object.Set("branch", key.branch().empty() ? std::string("main") : key.branch());
}

json::Value ArrayOf(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  json::Array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return json::Value(std::move(array));
}

}  // namespace

json::Value Embedded(absl::string_view text) {
  absl::StatusOr<json::Value> value = json::Parse(text, {.depth_max = json::kDepthCeiling});
  return value.ok() ? *std::move(value) : json::Value(text);
}

json::Value JsonOf(const v1::OperationResult& result) {
  json::Value value;
  value.Set("status", WordOf(result.outcome()));
  value.Set("op_id", result.op_id());
  SetEntity(value, result.entity());
  if (!result.version_id().empty()) {
    value.Set("version_id", result.version_id());
    value.Set("revision", result.revision());
  }
  SetText(value, "cursor", result.cursor());
  if (!result.data().empty()) value.Set("data", Embedded(result.data()));
  if (!result.text().empty()) value.Set("text", Embedded(result.text()));
  if (result.deleted()) value.Set("deleted", true);
  SetText(value, "conflict_id", result.conflict_id());
  return value;
}

json::Value JsonOf(const version::v1::EntityState& entity) {
  json::Value value;
  SetEntity(value, entity.entity());
  value.Set("version_id", entity.version_id());
  value.Set("revision", entity.revision());
  value.Set("deleted", entity.deleted());
  if (!entity.data().empty()) value.Set("data", Embedded(entity.data()));
  value.Set("has_conflict", entity.has_conflict());
  SetText(value, "category", entity.category());
  value.Set("time", TimeText(entity.time_ms()));
  return value;
}

json::Value JsonOf(const version::v1::VersionInfo& version) {
  const version::v1::VersionMeta& meta = version.meta();
  json::Value value;
  value.Set("version_id", version.version_id());
  value.Set("revision", version.revision());
  value.Set("parents", ArrayOf(meta.parents()));
  value.Set("operation", WordOf(meta.operation()));
  value.Set("status", WordOf(meta.outcome()));
  value.Set("op_id", meta.op_id());
  value.Set("user_id", meta.user_id());
  SetText(value, "device_id", meta.device_id());
  value.Set("time", TimeText(version.time_ms()));
  SetText(value, "message", meta.message());
  value.Set("changed_paths", ArrayOf(meta.changed_paths()));
  if (!meta.metadata().empty()) value.Set("metadata", Embedded(meta.metadata()));
  return value;
}

json::Value JsonOf(const v1::Change& change) {
  json::Value value;
  value.Set("type", "change");
  value.Set("seq", change.seq());
  value.Set("kind", WordOf(change.kind()));
  SetEntity(value, change.entity().entity());
  if (!change.entity().version_id().empty()) {
    value.Set("version_id", change.entity().version_id());
    value.Set("revision", change.entity().revision());
  }
  value.Set("operation", WordOf(change.operation()));
  if (!change.entity().data().empty()) value.Set("data", Embedded(change.entity().data()));
  SetText(value, "op_id", change.op_id());
  SetText(value, "user_id", change.user_id());
  SetText(value, "device_id", change.device_id());
  SetText(value, "category", change.entity().category());
  value.Set("time", TimeText(change.entity().time_ms()));
  return value;
}

json::Value JsonOf(const device_sync::v1::Device& device) {
  json::Value value;
  value.Set("device_id", device.device_id());
  value.Set("user_id", device.user_id());
  json::Value& client = value.Set("client", json::Value(json::Object()));
  SetText(client, "name", device.client_name());
  SetText(client, "version", device.client_version());
  SetText(client, "platform", device.platform());
  value.Set("network", WordOf(device.state().network()));
  if (device.state().battery_percent() >= 0) {
    value.Set("battery_percent", device.state().battery_percent());
  }
  value.Set("charging", device.state().charging());
  if (device.state().budget_bytes_per_s() > 0) {
    value.Set("budget_bytes_per_s", device.state().budget_bytes_per_s());
  }
  value.Set("online", device.online());
  value.Set("registered", TimeText(device.registered_ms()));
  value.Set("last_seen", TimeText(device.last_seen_ms()));
  if (device.revoked_ms() > 0) value.Set("revoked", TimeText(device.revoked_ms()));
  json::Array purges;
  for (const device_sync::v1::PurgeReceipt& purge : device.purges()) {
    json::Value& receipt = purges.emplace_back();
    SetText(receipt, "space", purge.space());
    receipt.Set("time", TimeText(purge.purged_ms()));
  }
  if (!purges.empty()) value.Set("purges", json::Value(std::move(purges)));
  return value;
}

json::Value JsonOf(const v1::GetStatusResponse& status) {
  json::Value value;
  value.Set("version", status.version());
  json::Array services;
  for (const v1::ServiceStatus& service : status.services()) {
    json::Value one;
    one.Set("name", service.name());
    one.Set("ready", service.ready());
    SetText(one, "detail", service.detail());
    services.push_back(std::move(one));
  }
  value.Set("services", json::Value(std::move(services)));
  value.Set("sessions", status.sessions());
  value.Set("subscriptions", status.subscriptions());
  value.Set("queued_operations", status.queued_operations());
  return value;
}

json::Value ArrayOf(const std::vector<int64_t>& numbers) {
  json::Array array;
  for (const int64_t number : numbers) array.emplace_back(number);
  return json::Value(std::move(array));
}

json::Value JsonOf(const admin::v1::ParkedGroup& group) {
  json::Value value;
  value.Set("id", group.id());
  value.Set("space", group.space());
  value.Set("reason", group.reason());
  value.Set("stored", TimeText(group.stored_ms()));
  value.Set("parked", TimeText(group.parked_ms()));
  json::Array operations;
  for (const admin::v1::ParkedOperation& parked : group.operations()) {
    const common::v1::Operation& operation = parked.operation();
    json::Value one;
    one.Set("op_id", operation.op_id());
    SetEntity(one, operation.entity());
    one.Set("operation", WordOf(operation.kind()));
    one.Set("user_id", parked.user_id());
    SetText(one, "device_id", parked.device_id());
    SetText(one, "base_version", operation.base_version());
    SetText(one, "category", operation.category());
    SetText(one, "message", operation.message());
    if (!operation.data().empty()) one.Set("data", Embedded(operation.data()));
    if (!operation.patch().empty()) one.Set("patch", Embedded(operation.patch()));
    if (!operation.text().empty()) one.Set("text", Embedded(operation.text()));
    if (!operation.metadata().empty()) one.Set("metadata", Embedded(operation.metadata()));
    if (operation.client_time_ms() > 0) {
      one.Set("client_time", TimeText(operation.client_time_ms()));
    }
    operations.push_back(std::move(one));
  }
  value.Set("operations", json::Value(std::move(operations)));
  return value;
}

json::Value JsonOf(const absl::Status& error) {
  const ReasonInfo& info = InfoOf(ReasonOf(error));
  json::Value value;
  json::Value& inner = value.Set("error", json::Value(json::Object()));
  inner.Set("code", info.name);
  inner.Set("message", error.message());
  inner.Set("retryable", info.retryable);
  if (const auto wait = RetryAfterOf(error)) {
    inner.Set("retry_after_ms", absl::ToInt64Milliseconds(*wait));
  }
  SetText(inner, "path", PathOf(error));
  return value;
}

}  // namespace bdcsync::cli
