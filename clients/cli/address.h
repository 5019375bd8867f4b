// The address of a server as users write it. Pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bdcsync::cli {

// INVALID_ARGUMENT: HOST:PORT with a port that there is not, which gRPC would take for another; a
// URL, which it would look for as the name of a host.
absl::Status CheckAddress(absl::string_view address);

}  // namespace bdcsync::cli
