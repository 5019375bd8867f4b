#include "services/device-sync/validation.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"
#include "services/device-sync/limits.h"

namespace bdcsync::device_sync {
namespace {

static_assert(kUserIdBytesMax <= entity::kIdBytesMax && kDeviceIdBytesMax <= entity::kIdBytesMax &&
              kDescriptionBytesMax <= entity::kIdBytesMax);

absl::Status Refuse(absl::string_view field, absl::string_view must) {
  return MakeErrorAt(Reason::kInvalidArgument, field, absl::StrCat(field, " must be ", must));
}

// The same spelling as an entity's id, with a limit of its own.
absl::Status ValidateText(absl::string_view field, absl::string_view text, std::size_t bytes_max,
                          bool required) {
  if (text.empty() && !required) return absl::OkStatus();
  if (!text.empty() && text.size() <= bytes_max && entity::ValidateId(text).ok()) {
    return absl::OkStatus();
  }
  return Refuse(field, absl::StrCat(required ? "1 to " : "at most ", bytes_max,
                                    " bytes of UTF-8 without control characters"));
}

absl::Status ValidateBatchSize(absl::string_view field, int size) {
  if (size <= kBatchItemsMax) return absl::OkStatus();
  return Refuse(field, absl::StrCat("at most ", kBatchItemsMax, " in a batch"));
}

}  // namespace

absl::Status ValidateUser(absl::string_view user_id) {
  return ValidateText("user_id", user_id, kUserIdBytesMax, /*required=*/true);
}

absl::Status ValidateOwner(absl::string_view user_id, absl::string_view device_id) {
  RETURN_IF_ERROR(ValidateUser(user_id));
  return ValidateText("device_id", device_id, kDeviceIdBytesMax, /*required=*/true);
}

absl::Status ValidateState(const v1::DeviceState& state) {
  if (!v1::Network_IsValid(state.network())) return Refuse("state.network", "a known network");
  if (state.battery_percent() < kBatteryUnsaid || state.battery_percent() > kBatteryPercentMax) {
    return Refuse("state.battery_percent", "-1 or 0 to 100");
  }
  if (state.budget_bytes_per_s() < 0) {
    return Refuse("state.budget_bytes_per_s", "0 or more");
  }
  return absl::OkStatus();
}

absl::Status ValidateDevice(const v1::Device& device) {
  RETURN_IF_ERROR(ValidateOwner(device.user_id(), device.device_id()));
  RETURN_IF_ERROR(ValidateText("client_name", device.client_name(), kDescriptionBytesMax, false));
  RETURN_IF_ERROR(
      ValidateText("client_version", device.client_version(), kDescriptionBytesMax, false));
  RETURN_IF_ERROR(ValidateText("platform", device.platform(), kDescriptionBytesMax, false));
  return device.has_state() ? ValidateState(device.state()) : absl::OkStatus();
}

absl::Status ValidateRegistrations(int size) {
  if (size <= kRegistrationsMax) return absl::OkStatus();
  return Refuse("devices", absl::StrCat("at most ", kRegistrationsMax, " in a batch"));
}

absl::Status ValidateHeartbeat(const v1::HeartbeatRequest& request) {
  RETURN_IF_ERROR(ValidateBatchSize("items", request.items_size()));
  for (const v1::HeartbeatItem& item : request.items()) {
    RETURN_IF_ERROR(ValidateOwner(item.user_id(), item.device_id()));
    if (item.has_state()) RETURN_IF_ERROR(ValidateState(item.state()));
  }
  return absl::OkStatus();
}

absl::Status ValidatePurges(const v1::RecordPurgesRequest& request) {
  RETURN_IF_ERROR(ValidateBatchSize("items", request.items_size()));
  for (const v1::PurgeItem& item : request.items()) {
    RETURN_IF_ERROR(ValidateOwner(item.user_id(), item.device_id()));
    if (!item.space().empty()) RETURN_IF_ERROR(entity::ValidateSpace(item.space()));
  }
  return absl::OkStatus();
}

absl::Status ValidateCursors(const v1::AckCursorsRequest& request) {
  RETURN_IF_ERROR(ValidateBatchSize("acks", request.acks_size()));
  for (const v1::CursorAck& ack : request.acks()) {
    RETURN_IF_ERROR(ValidateOwner(ack.user_id(), ack.device_id()));
    RETURN_IF_ERROR(entity::ValidateSpace(ack.space()));
    if (!ack.has_position() || ack.position().seq() < 0) {
      return Refuse("position", "given, with a seq of 0 or more");
    }
  }
  return absl::OkStatus();
}

}  // namespace bdcsync::device_sync
