#include "services/gateway/auth/token_mint.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"
#include "libs/json/value.h"
#include "services/gateway/auth/base64url.h"

namespace bdcsync::gateway {
namespace {

std::string HmacSha256(absl::string_view secret, absl::string_view input) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest, &length);
  return std::string(reinterpret_cast<char*>(digest), length);
}

}  // namespace

std::string MintToken(const Caller& caller, absl::Time issued, absl::string_view secret) {
  json::Value claims;
  claims.Set("sub", caller.user_id);
  claims.Set("iat", absl::ToUnixSeconds(issued));
  claims.Set("exp", absl::ToUnixSeconds(caller.token_expires));
  if (!caller.device_id.empty()) claims.Set("device_id", caller.device_id);
  if (caller.admin) claims.Set("admin", true);
  json::Value spaces = json::Value(json::Object());
  // Sorted, so that one caller always gives one token.
  for (const auto& [space, access] :
       std::map<std::string, Access>(caller.spaces.begin(), caller.spaces.end())) {
    if (access != Access::kNone) spaces.Set(space, access == Access::kWrite ? "write" : "read");
  }
  if (!spaces.object().empty()) claims.Set("spaces", std::move(spaces));
  const std::string input = absl::StrCat(EncodeBase64Url(R"({"alg":"HS256","typ":"JWT"})"), ".",
                                         EncodeBase64Url(json::Serialize(claims)));
  return absl::StrCat(input, ".", EncodeBase64Url(HmacSha256(secret, input)));
}

}  // namespace bdcsync::gateway
