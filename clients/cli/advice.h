// What to do about a command that failed, for the person who gave it. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "clients/cli/arguments.h"

namespace bdcsync::cli {

// One line without its end; empty when the message says it all. `arguments` is null when they
// could not be read; `address` is where the server was looked for.
std::string AdviceOn(const absl::Status& status, absl::string_view command,
                     const Arguments* arguments, absl::string_view address);

}  // namespace bdcsync::cli
