// Names of enumerations as the protocol writes them. Pure.
#pragma once

#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"

namespace bdcsync::gateway {

// What a `status` may be.
absl::string_view OutcomeName(common::v1::Outcome outcome);
absl::string_view OperationName(common::v1::OperationKind kind);

}  // namespace bdcsync::gateway
