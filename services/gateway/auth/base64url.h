// Base64url without padding, as JSON Web Tokens have it (RFC 7515), read strictly. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

std::string EncodeBase64Url(absl::string_view bytes);
// Nothing when `text` holds anything but the 64 characters, padding included.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

}  // namespace bdcsync::gateway
