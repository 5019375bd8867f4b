#include "services/gateway/auth/key_ring.h"

#include <utility>

#include "libs/base/status.h"
#include "services/gateway/auth/key_files.h"
#include "services/gateway/auth/key_set.h"

namespace bdcsync::gateway {

KeyRing::KeyRing(std::string secret, std::string keys_dir) : keys_dir_(std::move(keys_dir)) {
  absl::MutexLock lock(&mutex_);
  secret_ = std::move(secret);
  Rebuild();
}

KeyRing::~KeyRing() = default;

absl::Status KeyRing::Reload() {
  if (keys_dir_.empty()) return absl::OkStatus();
  return Read(KeysDirFingerprint(keys_dir_));
}

absl::Status KeyRing::ReloadIfChanged() {
  if (keys_dir_.empty()) return absl::OkStatus();
  const uint64_t fingerprint = KeysDirFingerprint(keys_dir_);
  {
    absl::MutexLock lock(&mutex_);
    if (fingerprint == fingerprint_) return absl::OkStatus();
  }
  return Read(fingerprint);
}

absl::Status KeyRing::Read(uint64_t fingerprint) {
  ASSIGN_OR_RETURN(KeySet::Keys keys, ReadKeysDir(keys_dir_));
  absl::MutexLock lock(&mutex_);
  file_keys_ = std::move(keys);
  fingerprint_ = fingerprint;
  Rebuild();
  return absl::OkStatus();
}

void KeyRing::SetSecret(std::string secret) {
  absl::MutexLock lock(&mutex_);
  secret_ = std::move(secret);
  Rebuild();
}

void KeyRing::Rebuild() {
  KeySet::Keys keys = file_keys_;
  if (!secret_.empty()) keys.push_back(VerifyKey::FromSecret("", secret_));
  keys_ = std::make_shared<KeySet>(std::move(keys));
}

std::shared_ptr<const KeySet> KeyRing::keys() const {
  absl::MutexLock lock(&mutex_);
  return keys_;
}

}  // namespace bdcsync::gateway
