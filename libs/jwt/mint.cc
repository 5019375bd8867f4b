#include "libs/jwt/mint.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "libs/json/serialize.h"

namespace bdcsync::jwt {
namespace {

std::string HmacSha256(absl::string_view secret, absl::string_view input) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest, &size);
  return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace

std::string EncodeBase64Url(absl::string_view bytes) { return absl::WebSafeBase64Escape(bytes); }

std::string MintHs256(const json::Value& claims, absl::string_view secret) {
  const std::string input = absl::StrCat(EncodeBase64Url(R"({"alg":"HS256","typ":"JWT"})"), ".",
                                         EncodeBase64Url(json::Serialize(claims)));
  return absl::StrCat(input, ".", EncodeBase64Url(HmacSha256(secret, input)));
}

}  // namespace bdcsync::jwt
