// Keys from a JSON Web Key Set (RFC 7517, 7518, 8037).
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/value.h"
#include "services/gateway/auth/base64url.h"
#include "services/gateway/auth/key_files.h"

namespace bdcsync::gateway {
namespace {

constexpr char kUncompressedPoint = '\x04';
constexpr size_t kP256CoordinateBytes = 32;

using PublicKey = std::shared_ptr<EVP_PKEY>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

std::string TextOf(const json::Value& key, absl::string_view name) {
  const json::Value* member = key.Find(name);
  return member != nullptr && member->is_string() ? std::string(member->string()) : "";
}

absl::StatusOr<std::string> BytesOf(const json::Value& key, absl::string_view name) {
  const auto bytes = DecodeBase64Url(TextOf(key, name));
  if (!bytes.has_value() || bytes->empty()) {
    return absl::InvalidArgumentError(absl::StrCat("a key without a proper \"", name, "\""));
  }
  return *bytes;
}

const unsigned char* Raw(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Makes a public key of `type` from the parameters in `builder`.
absl::StatusOr<PublicKey> Build(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
      OSSL_PARAM_BLD_to_param(builder), &OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("not a valid ", type, " key"));
  }
  return PublicKey(key, &EVP_PKEY_free);
}

absl::StatusOr<PublicKey> RsaKey(const json::Value& key) {
  ASSIGN_OR_RETURN(const std::string n, BytesOf(key, "n"));
  ASSIGN_OR_RETURN(const std::string e, BytesOf(key, "e"));
  const Number modulus(BN_bin2bn(Raw(n), static_cast<int>(n.size()), nullptr), &BN_free);
  const Number exponent(BN_bin2bn(Raw(e), static_cast<int>(e.size()), nullptr), &BN_free);
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(
      OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return Build("RSA", builder.get());
}

absl::StatusOr<PublicKey> P256Key(const json::Value& key) {
  if (TextOf(key, "crv") != "P-256") {
    return absl::InvalidArgumentError("an EC key that is not P-256");
  }
  ASSIGN_OR_RETURN(const std::string x, BytesOf(key, "x"));
  ASSIGN_OR_RETURN(const std::string y, BytesOf(key, "y"));
  if (x.size() != kP256CoordinateBytes || y.size() != kP256CoordinateBytes) {
    return absl::InvalidArgumentError("a P-256 key whose coordinates are not 32 bytes");
  }
  const std::string point = kUncompressedPoint + x + y;
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(
      OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return Build("EC", builder.get());
}

absl::StatusOr<PublicKey> Ed25519Key(const json::Value& key) {
  if (TextOf(key, "crv") != "Ed25519") {
    return absl::InvalidArgumentError("an OKP key that is not Ed25519");
  }
  ASSIGN_OR_RETURN(const std::string x, BytesOf(key, "x"));
  PublicKey made(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Raw(x), x.size()),
                 &EVP_PKEY_free);
  if (made == nullptr) return absl::InvalidArgumentError("not a valid Ed25519 key");
  return made;
}

absl::StatusOr<std::shared_ptr<const VerifyKey>> KeyFromJwk(const json::Value& key) {
  std::string kid = TextOf(key, "kid");
  if (kid.empty()) return absl::InvalidArgumentError("a key without \"kid\"");
  const std::string type = TextOf(key, "kty");
  std::shared_ptr<const VerifyKey> made;
  if (type == "oct") {
    ASSIGN_OR_RETURN(std::string secret, BytesOf(key, "k"));
    made = VerifyKey::FromSecret(std::move(kid), std::move(secret));
  } else {
    absl::StatusOr<PublicKey> public_key =
        absl::InvalidArgumentError(absl::StrCat("a key of unknown type \"", type, "\""));
    if (type == "RSA") public_key = RsaKey(key);
    if (type == "EC") public_key = P256Key(key);
    if (type == "OKP") public_key = Ed25519Key(key);
    RETURN_IF_ERROR(public_key.status());
    ASSIGN_OR_RETURN(made, VerifyKey::FromPublicKey(std::move(kid), *std::move(public_key)));
  }
  const std::string algorithm = TextOf(key, "alg");
  if (!algorithm.empty() && algorithm != AlgorithmName(made->algorithm())) {
    return absl::InvalidArgumentError(
        absl::StrCat("key ", made->kid(), " is for ", algorithm, ", which is not supported"));
  }
  return made;
}

}  // namespace

absl::StatusOr<KeySet::Keys> KeysFromJwks(absl::string_view text) {
  const auto parsed = json::Parse(text);
  if (!parsed.ok()) return absl::InvalidArgumentError("not JSON");
  const json::Value* keys = parsed->Find("keys");
  if (keys == nullptr || !keys->is_array()) {
    return absl::InvalidArgumentError("not a JSON Web Key Set: no array \"keys\"");
  }
  KeySet::Keys made;
  for (const json::Value& key : keys->array()) {
    const std::string use = TextOf(key, "use");
    if (!use.empty() && use != "sig") continue;
    ASSIGN_OR_RETURN(auto one, KeyFromJwk(key));
    made.push_back(std::move(one));
  }
  return made;
}

}  // namespace bdcsync::gateway
