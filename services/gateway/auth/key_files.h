// Public keys from files: PEM and JWKS. Blocks on files; otherwise pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/gateway/auth/key_set.h"

namespace bdcsync::gateway {

// Files and keys beyond these are refused.
inline constexpr size_t kKeyFileBytesMax = 256 << 10;
inline constexpr size_t kKeysMax = 1000;

// A public key in PEM (SubjectPublicKeyInfo).
absl::StatusOr<std::shared_ptr<const VerifyKey>> KeyFromPem(std::string kid, absl::string_view pem);
// The signing keys of a JSON Web Key Set (RFC 7517). Keys for other uses are left out; a key of an
// unknown type, or without `kid`, is an error.
absl::StatusOr<KeySet::Keys> KeysFromJwks(absl::string_view json);
// All keys of a folder: `<kid>.pem` and `*.json`; hidden files are left out. Two keys with one name
// are an error. INVALID_ARGUMENT names the file at fault.
absl::StatusOr<KeySet::Keys> ReadKeysDir(const std::string& dir);
// Changes when a file of the folder is added, removed or written.
uint64_t KeysDirFingerprint(const std::string& dir);

}  // namespace bdcsync::gateway
