// What is shown in the place of a secret. It is never taken for one: a printed configuration that
// is used as a file would else put a secret in force that everybody knows.
#pragma once

#include "absl/strings/string_view.h"

namespace bdcsync::config {

inline constexpr absl::string_view kSecretMask = "********";

}  // namespace bdcsync::config
