// Operations that did not come through the WebSocket's parser: their JSON texts are checked and
// brought into the compact form that everything behind relies on. Pure.
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "bdcsync/common/v1/common.pb.h"

namespace bdcsync::gateway {

// kBadMessage, kTooDeep or kInvalidArgument at the field that is not what it must be; `operation`
// is then partly changed.
absl::Status NormalizeOperation(common::v1::Operation& operation, size_t json_depth_max);

}  // namespace bdcsync::gateway
