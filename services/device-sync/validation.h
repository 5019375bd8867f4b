// What a caller may say of a device: shapes and sizes of names, states and positions. Every refusal
// is kInvalidArgument at the field in fault. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"

namespace bdcsync::device_sync {

// User and device: 1 to 128 bytes of UTF-8 without control characters.
absl::Status ValidateOwner(absl::string_view user_id, absl::string_view device_id);
absl::Status ValidateUser(absl::string_view user_id);
absl::Status ValidateDevice(const v1::Device& device);
// Of a batch: how many devices register in it.
absl::Status ValidateRegistrations(int size);
absl::Status ValidateState(const v1::DeviceState& state);
absl::Status ValidateHeartbeat(const v1::HeartbeatRequest& request);
absl::Status ValidatePurges(const v1::RecordPurgesRequest& request);
absl::Status ValidateCursors(const v1::AckCursorsRequest& request);

}  // namespace bdcsync::device_sync
