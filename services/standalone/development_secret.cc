#include "services/standalone/development_secret.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <openssl/rand.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace bdcsync::standalone {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr mode_t kOwnerOnly = 0600;

absl::Status Failed(absl::string_view what, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, ": ", why));
}

}  // namespace

absl::StatusOr<std::string> DevelopmentSecret(absl::string_view data_dir) {
  const std::string path = absl::StrCat(data_dir, "/secret");
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::getline(file, text, '\0');  // All of it; iterators would throw where it is a folder.
  if (const absl::string_view known = absl::StripAsciiWhitespace(text); !known.empty()) {
    return std::string(known);
  }
  std::error_code error;
  std::filesystem::create_directories(std::string(data_dir), error);
  if (error) return Failed(absl::StrCat("make the folder ", data_dir), error.message());
  unsigned char bytes[kSecretBytes];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return Failed("make a secret", "no randomness");
  const std::string secret = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kOwnerOnly);
  if (descriptor < 0) {
    return Failed(absl::StrCat("write ", path), std::generic_category().message(errno));
  }
  const std::string line = secret + "\n";
  const bool written =
      write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (close(descriptor) != 0 || !written) {
    return Failed(absl::StrCat("write ", path), std::generic_category().message(errno));
  }
  return secret;
}

}  // namespace bdcsync::standalone
