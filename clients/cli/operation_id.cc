#include "clients/cli/operation_id.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"

namespace bdcsync::cli {
namespace {

constexpr absl::string_view kShape = "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx";
constexpr absl::string_view kVariants = "89ab";

bool Fits(char given, char shape) {
  if (shape == 'x') return absl::ascii_isxdigit(static_cast<unsigned char>(given));
  return shape == 'v' ? kVariants.find(given) != kVariants.npos : given == shape;
}

}  // namespace

std::optional<absl::Time> TimeOfOperationId(absl::string_view id) {
  if (id.size() != kShape.size()) return std::nullopt;
  const std::string lower = absl::AsciiStrToLower(id);
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (!Fits(lower[i], kShape[i])) return std::nullopt;
  }
  uint64_t milliseconds = 0;
  const std::string digits = absl::StrCat("0000", lower.substr(0, 8), lower.substr(9, 4));
  if (!ParseHex64(digits, milliseconds)) return std::nullopt;
  return absl::FromUnixMillis(static_cast<int64_t>(milliseconds));
}

}  // namespace bdcsync::cli
