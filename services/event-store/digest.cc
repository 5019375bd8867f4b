#include "services/event-store/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace bdcsync::event_store {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Looked up once: OpenSSL would look it up again for each digest, which takes longer than the hash.
const EVP_MD* Sha256() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

Digest128 DigestOf(absl::Span<const absl::string_view> parts) {
  static thread_local const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), Sha256(), nullptr);
  for (const absl::string_view part : parts) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), bytes, &size);
  Digest128 digest;
  std::copy_n(bytes, digest.size(), digest.begin());
  return digest;
}

}  // namespace bdcsync::event_store
