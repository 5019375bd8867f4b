#include "services/gateway/auth/key_files.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"

namespace bdcsync::gateway {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> KeyFiles(const std::string& dir, std::error_code& error) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, ".")) continue;
    if (absl::EndsWith(name, ".pem") || absl::EndsWith(name, ".json")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<std::string> ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kKeyFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (!file.eof() && file.fail()) || !file.is_open()) {
    return absl::InvalidArgumentError("cannot be read");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kKeyFileBytesMax) return absl::InvalidArgumentError("is too large");
  return text;
}

absl::StatusOr<KeySet::Keys> KeysOfFile(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  if (path.extension() == ".json") return KeysFromJwks(text);
  ASSIGN_OR_RETURN(auto key, KeyFromPem(path.stem().string(), text));
  return KeySet::Keys{std::move(key)};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const VerifyKey>> KeyFromPem(std::string kid,
                                                            absl::string_view pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr),
                                &EVP_PKEY_free);
  if (key == nullptr) return absl::InvalidArgumentError("not a public key in PEM");
  return VerifyKey::FromPublicKey(std::move(kid), std::move(key));
}

absl::StatusOr<KeySet::Keys> ReadKeysDir(const std::string& dir) {
  std::error_code error;
  const std::vector<fs::path> files = KeyFiles(dir, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("security.jwt_keys_dir ", dir, ": ", error.message()));
  }
  KeySet::Keys all;
  absl::flat_hash_set<std::string> names;
  for (const fs::path& file : files) {
    auto keys = KeysOfFile(file);
    if (!keys.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.filename().string(), ": ", keys.status().message()));
    }
    for (auto& key : *keys) {
      if (!names.insert(key->kid()).second) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.filename().string(), ": a second key named ", key->kid()));
      }
      all.push_back(std::move(key));
    }
    if (all.size() > kKeysMax) return absl::InvalidArgumentError("too many keys");
  }
  return all;
}

uint64_t KeysDirFingerprint(const std::string& dir) {
  std::error_code error;
  uint64_t fingerprint = 0;
  for (const fs::path& file : KeyFiles(dir, error)) {
    const auto written = fs::last_write_time(file, error).time_since_epoch().count();
    const auto size = fs::file_size(file, error);
    fingerprint = StableHash64(absl::StrCat(file.string(), "/", written, "/", size), fingerprint);
  }
  return fingerprint;
}

}  // namespace bdcsync::gateway
