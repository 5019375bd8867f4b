#include "libs/json/version_reader.h"

namespace bdcsync::json {
namespace {

constexpr size_t kBytesALandmark = 64;  // A guess, for what to reserve.

}  // namespace

absl::StatusOr<Value> VersionReader::Read(absl::string_view text) {
  if (first_) return ParseText(text, limits_, nullptr, &landmarks_);
  landmarks_.reserve(text.size() / kBytesALandmark + 1);
  absl::StatusOr<Value> value = ParseText(text, limits_, &landmarks_);
  if (!value.ok()) {
    landmarks_.clear();
    return value;
  }
  first_ = ContainerName(*value).Share();
  return value;
}

}  // namespace bdcsync::json
