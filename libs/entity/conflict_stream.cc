#include "libs/entity/conflict_stream.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bdcsync::entity {
namespace {

constexpr absl::string_view kPrefix = "!conflicts:";

}  // namespace

std::string ConflictStreamName(absl::string_view type, absl::string_view id) {
  return absl::StrCat(kPrefix, type, ":", id);
}

std::optional<ConflictStreamView> ParseConflictStreamName(absl::string_view stream) {
  if (!absl::ConsumePrefix(&stream, kPrefix)) return std::nullopt;
  const size_t colon = stream.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  return ConflictStreamView{stream.substr(0, colon), stream.substr(colon + 1)};
}

}  // namespace bdcsync::entity
