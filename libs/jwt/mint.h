// Makes JSON Web Tokens signed with a shared secret (HS256), for development tokens and tests. The
// gateway's auth verifies them; nothing here does. Pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::jwt {

// Base64url without padding (RFC 7515).
std::string EncodeBase64Url(absl::string_view bytes);

// The compact form of `claims` (an object) signed with `secret`.
std::string MintHs256(const json::Value& claims, absl::string_view secret);

}  // namespace bdcsync::jwt
