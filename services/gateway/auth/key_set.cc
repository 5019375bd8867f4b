#include "services/gateway/auth/key_set.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstring>
#include <utility>

namespace bdcsync::gateway {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr size_t kEs256SignatureBytes = 64;
constexpr char kP256Group[] = "prime256v1";

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool IsP256(const EVP_PKEY* key) {
  char group[32] = "";
  size_t length = 0;
  return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                        &length) == 1 &&
         absl::string_view(group, length) == kP256Group;
}

// JWS writes an ECDSA signature as r and s side by side, OpenSSL reads it as DER.
std::string DerSignature(absl::string_view raw) {
  if (raw.size() != kEs256SignatureBytes) return "";
  constexpr int kHalf = kEs256SignatureBytes / 2;
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(),
                                                                        &ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(Bytes(raw), kHalf, nullptr);
  BIGNUM* s = BN_bin2bn(Bytes(raw) + kHalf, kHalf, nullptr);
  ECDSA_SIG_set0(signature.get(), r, s);  // Takes both over.
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  std::string out;
  if (length > 0) out.assign(reinterpret_cast<char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return out;
}

bool DigestVerifies(EVP_PKEY* key, const EVP_MD* digest, absl::string_view input,
                    absl::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(input),
                          input.size()) == 1;
}

bool HmacVerifies(const std::string& secret, absl::string_view input, absl::string_view signature) {
  unsigned char expected[SHA256_DIGEST_LENGTH];
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(input), input.size(),
           expected, &length) == nullptr) {
    return false;
  }
  return signature.size() == length && CRYPTO_memcmp(expected, signature.data(), length) == 0;
}

}  // namespace

absl::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kHs256:
      return "HS256";
    case Algorithm::kRs256:
      return "RS256";
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kEdDsa:
      return "EdDSA";
  }
  return "";
}

std::shared_ptr<const VerifyKey> VerifyKey::FromSecret(std::string kid, std::string secret) {
  std::shared_ptr<VerifyKey> key(new VerifyKey(std::move(kid), Algorithm::kHs256));
  key->secret_ = std::move(secret);
  return key;
}

absl::StatusOr<std::shared_ptr<const VerifyKey>> VerifyKey::FromPublicKey(
    std::string kid, std::shared_ptr<evp_pkey_st> key) {
  Algorithm algorithm;
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key.get()) < kRsaBitsMin) {
        return absl::InvalidArgumentError("an RSA key of less than 2,048 bits");
      }
      algorithm = Algorithm::kRs256;
      break;
    case EVP_PKEY_EC:
      if (!IsP256(key.get())) return absl::InvalidArgumentError("an EC key that is not P-256");
      algorithm = Algorithm::kEs256;
      break;
    case EVP_PKEY_ED25519:
      algorithm = Algorithm::kEdDsa;
      break;
    default:
      return absl::InvalidArgumentError("neither an RSA, a P-256 nor an Ed25519 key");
  }
  std::shared_ptr<VerifyKey> made(new VerifyKey(std::move(kid), algorithm));
  made->key_ = std::move(key);
  return std::shared_ptr<const VerifyKey>(std::move(made));
}

bool VerifyKey::Verifies(absl::string_view input, absl::string_view signature) const {
  switch (algorithm_) {
    case Algorithm::kHs256:
      return HmacVerifies(secret_, input, signature);
    case Algorithm::kRs256:
      return DigestVerifies(key_.get(), EVP_sha256(), input, signature);
    case Algorithm::kEs256: {
      const std::string der = DerSignature(signature);
      return !der.empty() && DigestVerifies(key_.get(), EVP_sha256(), input, der);
    }
    case Algorithm::kEdDsa:
      return DigestVerifies(key_.get(), nullptr, input, signature);
  }
  return false;
}

KeySet::Keys KeySet::Candidates(absl::string_view algorithm_name, absl::string_view kid) const {
  Keys candidates;
  for (const auto& key : keys_) {
    if (!kid.empty() && key->kid() != kid) continue;
    if (AlgorithmName(key->algorithm()) == algorithm_name) candidates.push_back(key);
  }
  return candidates;
}

}  // namespace bdcsync::gateway
