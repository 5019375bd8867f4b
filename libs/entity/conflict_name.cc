#include "libs/entity/conflict_name.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bdcsync::entity {
namespace {

constexpr absl::string_view kStreamPrefix = "!conflicts:";

}  // namespace

std::string ConflictsStreamName(const KeyView& key) {
  return absl::StrCat(kStreamPrefix, key.type, ":", key.id);
}

std::optional<KeyView> ParseConflictsStreamName(absl::string_view stream) {
  if (!absl::ConsumePrefix(&stream, kStreamPrefix)) return std::nullopt;
  const size_t type_end = stream.find(':');
  if (type_end == absl::string_view::npos) return std::nullopt;
  KeyView key;
  key.type = stream.substr(0, type_end);
  key.id = stream.substr(type_end + 1);
  if (!ValidateType(key.type).ok() || !ValidateId(key.id).ok()) return std::nullopt;
  return key;
}

}  // namespace bdcsync::entity
