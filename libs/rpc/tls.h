// Certificates for gRPC servers and channels. Thread-safe: functions only.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace bdcsync::rpc {

// A PEM file is never larger.
inline constexpr int kPemBytesMax = 1 << 20;

// The text of the PEM file at `path`; `purpose` names the configuration key in the error.
// INVALID_ARGUMENT: it cannot be read, is too large or is no PEM.
absl::StatusOr<std::string> ReadPem(const std::string& path, const std::string& purpose);

}  // namespace bdcsync::rpc
