// Whether an operation is well formed: names, sizes, and a body that fits its kind. What can only
// be judged against the entity is left to the version service. Pure.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bdcsync/common/v1/common.pb.h"

namespace bdcsync::gateway {

struct OperationLimits {
  size_t data_bytes_max = 1 << 20;  // websocket.max_message_size; of data, patch or text.
  size_t op_id_bytes_max = 64;
  size_t category_bytes_max = 64;
  size_t message_bytes_max = 1024;
  size_t metadata_bytes_max = 4096;
  size_t base_version_bytes_max = 64;
  absl::Duration client_time_ahead_max = absl::Minutes(5);        // limits.client_time_ahead_max
  absl::Duration client_time_behind_max = absl::Hours(24 * 366);  // limits.client_time_behind_max
};

// Space and op_id have been filled in. kInvalidArgument or kTooLarge, at the field at fault;
// kClockSkew when the client's time is too far from `now`: its clock is wrong.
absl::Status CheckOperation(const common::v1::Operation& operation, const OperationLimits& limits,
                            absl::Time now);

}  // namespace bdcsync::gateway
