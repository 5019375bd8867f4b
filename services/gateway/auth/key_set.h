// The keys that a token may be checked with at one moment. Immutable, hence thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;

namespace bdcsync::gateway {

enum class Algorithm { kHs256, kRs256, kEs256, kEdDsa };
// As the `alg` of a token's header says it.
absl::string_view AlgorithmName(Algorithm algorithm);

// One key. Its algorithm follows from what it is; no token can choose another.
class VerifyKey {
 public:
  // HS256 with a shared secret.
  static std::shared_ptr<const VerifyKey> FromSecret(std::string kid, std::string secret);
  // RSA (2,048 bits or more), P-256 or Ed25519. Takes the key over.
  //   INVALID_ARGUMENT  any other type of key.
  static absl::StatusOr<std::shared_ptr<const VerifyKey>> FromPublicKey(
      std::string kid, std::shared_ptr<evp_pkey_st> key);

  // Whether `signature` (raw, as JWS has it) is this key's over `input`. Takes the same time
  // whatever the difference.
  bool Verifies(absl::string_view input, absl::string_view signature) const;
  const std::string& kid() const { return kid_; }
  Algorithm algorithm() const { return algorithm_; }

 private:
  VerifyKey(std::string kid, Algorithm algorithm) : kid_(std::move(kid)), algorithm_(algorithm) {}

  std::string kid_;
  Algorithm algorithm_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;  // shared_ptr for its deleter; null for a secret.
};

class KeySet {
 public:
  using Keys = std::vector<std::shared_ptr<const VerifyKey>>;

  explicit KeySet(Keys keys) : keys_(std::move(keys)) {}
  // The keys that a token with this header may have been signed with: the key named `kid`, or,
  // where the token names none, all; of the algorithm that the token claims only.
  Keys Candidates(absl::string_view algorithm_name, absl::string_view kid) const;
  bool empty() const { return keys_.empty(); }

 private:
  Keys keys_;
};

}  // namespace bdcsync::gateway
