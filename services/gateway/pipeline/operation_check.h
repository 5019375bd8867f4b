// Whether an operation is well formed: names, sizes, and a body that fits its kind. What can only
// be judged against the entity is left to the version service. Pure.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "bdcsync/common/v1/common.pb.h"

namespace bdcsync::gateway {

struct OperationLimits {
  size_t data_bytes_max = 1 << 20;  // websocket.max_message_size; of data, patch or text.
  size_t op_id_bytes_max = 64;
  size_t category_bytes_max = 64;
  size_t message_bytes_max = 1024;
  size_t metadata_bytes_max = 4096;
  size_t base_version_bytes_max = 64;
};

// Space and op_id have been filled in. kInvalidArgument or kTooLarge, at the field at fault.
absl::Status CheckOperation(const common::v1::Operation& operation, const OperationLimits& limits);

}  // namespace bdcsync::gateway
