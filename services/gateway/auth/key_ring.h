// The keys that tokens are checked with: one shared secret (HS256) and any number of public keys
// from a folder, read again when their files change. A key belongs to exactly one algorithm.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::gateway {

class KeySet;
class VerifyKey;

class KeyRing {
 public:
  // `secret` (security.jwt_secret) may be empty: no HS256. `keys_dir` (security.jwt_keys_dir) may
  // be empty: no key files. Holds the secret only, until Reload.
  KeyRing(std::string secret, std::string keys_dir);
  ~KeyRing();

  // Reads the folder: `<kid>.pem` is a public key (RSA → RS256, P-256 → ES256, Ed25519 → EdDSA),
  // `*.json` a JWKS. On an error the keys read before stay. Blocks on files: not on a loop.
  //   INVALID_ARGUMENT  a file is no key of a supported type; names the file.
  absl::Status Reload();
  // Reload, but only when a file was added, removed or changed since. Call every few seconds.
  absl::Status ReloadIfChanged();
  // Replaces the shared secret.
  void SetSecret(std::string secret);

  // The keys of this moment. shared_ptr: a check under way keeps the set that it began with.
  std::shared_ptr<const KeySet> keys() const;

 private:
  absl::Status Read(uint64_t fingerprint);
  void Rebuild() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string keys_dir_;
  mutable absl::Mutex mutex_;
  std::string secret_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const VerifyKey>> file_keys_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const KeySet> keys_ ABSL_GUARDED_BY(mutex_);
  uint64_t fingerprint_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::gateway
