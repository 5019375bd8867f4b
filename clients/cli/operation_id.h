// The time that an operation id tells. Pure.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bdcsync::cli {

// When `id` was made, in whole milliseconds, if it is a UUID of version 7 (RFC 9562), which begins
// with that time; nothing for any other id. Those that commands make are of this version.
std::optional<absl::Time> TimeOfOperationId(absl::string_view id);

}  // namespace bdcsync::cli
