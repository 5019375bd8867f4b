#include "libs/entity/version_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"

namespace bdcsync::entity {

std::string MakeVersionId(int64_t revision, uint64_t event_id) {
  return absl::StrCat(revision, "-", absl::Hex(event_id, absl::kZeroPad16));
}

std::optional<VersionId> ParseVersionId(absl::string_view text) {
  const size_t dash = text.find('-');
  if (dash == absl::string_view::npos) return std::nullopt;
  const std::optional<int64_t> revision = ParseRevision(text.substr(0, dash));
  VersionId id;
  if (!revision || !ParseHex64(text.substr(dash + 1), id.event_id)) return std::nullopt;
  id.revision = *revision;
  return id;
}

std::optional<int64_t> ParseRevision(absl::string_view text) {
  int64_t revision = 0;
  if (text.empty() || text[0] < '1' || text[0] > '9' ||
      !absl::ascii_isdigit(static_cast<unsigned char>(text.back())) ||
      !absl::SimpleAtoi(text, &revision)) {
    return std::nullopt;
  }
  return revision;
}

}  // namespace bdcsync::entity
