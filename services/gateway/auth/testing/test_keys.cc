#include "services/gateway/auth/testing/test_keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "absl/strings/str_cat.h"
#include "services/gateway/auth/base64url.h"

namespace bdcsync::gateway {
namespace {

TestKey Own(EVP_PKEY* key) { return TestKey(key, &EVP_PKEY_free); }

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string NumberOf(const TestKey& key, const char* name) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key.get(), name, &number);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

std::string PaddedTo32(std::string bytes) { return std::string(32 - bytes.size(), '\0') + bytes; }

std::string RawEcSignature(const std::string& der) {
  const unsigned char* at = Bytes(der);
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string raw(64, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32);
  ECDSA_SIG_free(signature);
  return raw;
}

std::string Input(absl::string_view header, absl::string_view payload) {
  return absl::StrCat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
}

}  // namespace

TestKey MakeRsaKey(int bits) { return Own(EVP_RSA_gen(static_cast<unsigned>(bits))); }
TestKey MakeEcKey(const char* curve) { return Own(EVP_EC_gen(curve)); }
TestKey MakeEd25519Key() { return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

std::string PublicPem(const TestKey& key) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key.get());
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(length));
  BIO_free(bio);
  return pem;
}

json::Value PublicJwk(const TestKey& key, absl::string_view kid) {
  json::Value jwk;
  jwk.Set("kid", kid);
  jwk.Set("use", "sig");
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_RSA:
      jwk.Set("kty", "RSA");
      jwk.Set("n", EncodeBase64Url(NumberOf(key, OSSL_PKEY_PARAM_RSA_N)));
      jwk.Set("e", EncodeBase64Url(NumberOf(key, OSSL_PKEY_PARAM_RSA_E)));
      break;
    case EVP_PKEY_EC:
      jwk.Set("kty", "EC");
      jwk.Set("crv", "P-256");
      jwk.Set("x", EncodeBase64Url(PaddedTo32(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_X))));
      jwk.Set("y", EncodeBase64Url(PaddedTo32(NumberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y))));
      break;
    default: {
      std::string raw(32, '\0');
      size_t length = raw.size();
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(raw.data()), &length);
      jwk.Set("kty", "OKP");
      jwk.Set("crv", "Ed25519");
      jwk.Set("x", EncodeBase64Url(raw));
    }
  }
  return jwk;
}

std::string SignToken(absl::string_view header, absl::string_view payload, const TestKey& key) {
  const std::string input = Input(header, payload);
  const bool ed25519 = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestSignInit(context, nullptr, ed25519 ? nullptr : EVP_sha256(), nullptr, key.get());
  size_t length = 0;
  EVP_DigestSign(context, nullptr, &length, Bytes(input), input.size());
  std::string signature(length, '\0');
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &length, Bytes(input),
                 input.size());
  signature.resize(length);
  EVP_MD_CTX_free(context);
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC) signature = RawEcSignature(signature);
  return absl::StrCat(input, ".", EncodeBase64Url(signature));
}

std::string SignTokenHs256(absl::string_view header, absl::string_view payload,
                           absl::string_view secret) {
  const std::string input = Input(header, payload);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(input), input.size(),
       digest, &length);
  return absl::StrCat(input, ".",
                      EncodeBase64Url(absl::string_view(reinterpret_cast<char*>(digest), length)));
}

std::string UnsignedToken(absl::string_view header, absl::string_view payload) {
  return Input(header, payload) + ".";
}

}  // namespace bdcsync::gateway
