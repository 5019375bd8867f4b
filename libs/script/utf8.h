// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Thread-safe.
#pragma once

#include "absl/strings/string_view.h"

namespace bdcsync::script {

bool IsValidUtf8(absl::string_view text);

}  // namespace bdcsync::script
