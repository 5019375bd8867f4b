// What the gateway's configuration alone tells, before anything is opened. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "libs/config/values.h"

namespace bdcsync::gateway {

// INVALID_ARGUMENT: tokens are needed and nothing is there to check them with. `warnings` gets a
// sentence about what works but is unsafe; it never holds a secret.
absl::Status CheckGatewayConfig(const config::Values& values, std::vector<std::string>& warnings);

}  // namespace bdcsync::gateway
