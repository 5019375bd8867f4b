#include "libs/rpc/tls.h"

#include <fstream>
#include <ios>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace bdcsync::rpc {

absl::StatusOr<std::string> ReadPem(const std::string& path, const std::string& purpose) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kPemBytesMax, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    return absl::InvalidArgumentError(absl::StrCat(purpose, ": cannot read ", path));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!absl::StrContains(text, "-----BEGIN ")) {
    return absl::InvalidArgumentError(absl::StrCat(purpose, ": ", path, " is not a PEM file"));
  }
  return text;
}

}  // namespace bdcsync::rpc
