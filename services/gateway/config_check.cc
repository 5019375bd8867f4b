#include "services/gateway/config_check.h"

#include "absl/strings/str_cat.h"
#include "services/gateway/config.h"

namespace bdcsync::gateway {
namespace {

constexpr size_t kSecretBytesMin = 32;  // RFC 7518, 3.2: as long as the hash of HS256 at least.

}  // namespace

absl::Status CheckGatewayConfig(const config::Values& values, std::vector<std::string>& warnings) {
  if (!values.Get(kRequireAuthentication)) {
    warnings.emplace_back(
        "anybody may connect as anybody: security.require_authentication is false, for development "
        "only");
    return absl::OkStatus();
  }
  const std::string secret = values.Get(kJwtSecret);
  if (secret.empty() && values.Get(kJwtKeysDir).empty()) {
    return absl::InvalidArgumentError(
        "tokens cannot be checked: set security.jwt_secret (BDC_SYNC_JWT_SECRET) or "
        "security.jwt_keys_dir");
  }
  if (!secret.empty() && secret.size() < kSecretBytesMin) {
    warnings.push_back(absl::StrCat(
        "security.jwt_secret is shorter than ", kSecretBytesMin,
        " bytes (RFC 7518, 3.2): who has a token may guess it and make others; `openssl rand -hex ",
        kSecretBytesMin, "` makes a good one"));
  }
  return absl::OkStatus();
}

}  // namespace bdcsync::gateway
