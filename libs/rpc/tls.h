// Certificates for gRPC servers and channels. Thread-safe: functions only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bdcsync::rpc {

// A PEM file is never larger.
inline constexpr int kPemBytesMax = 1 << 20;

// The text of the PEM file at `path`; `purpose` names the configuration key in the error.
// INVALID_ARGUMENT: it cannot be read, is too large or is no PEM.
absl::StatusOr<std::string> ReadPem(const std::string& path, const std::string& purpose);

// As gRPC wants its intervals; at least one.
inline unsigned int WholeSeconds(absl::Duration duration) {
  return static_cast<unsigned int>(std::max<int64_t>(1, absl::ToInt64Seconds(duration)));
}

}  // namespace bdcsync::rpc
