#include "services/gateway/pipeline/normalize_operation.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/json/serialize.h"

namespace bdcsync::gateway {
namespace {

enum class Shape { kAny, kObject, kObjectOrArray };

absl::Status Normalize(absl::string_view field, Shape shape, size_t depth_max, std::string& text) {
  if (text.empty()) return absl::OkStatus();
  json::ParseLimits limits;
  limits.depth_max = depth_max;
  const absl::StatusOr<json::Value> value = json::Parse(text, limits);
  if (!value.ok()) return MakeErrorAt(ReasonOf(value.status()), field, value.status().message());
  const bool fits = shape == Shape::kAny || value->is_object() ||
                    (shape == Shape::kObjectOrArray && value->is_array());
  if (!fits) {
    return MakeErrorAt(Reason::kInvalidArgument, field,
                       absl::StrCat("not ", json::KindName(value->kind())));
  }
  text = json::Serialize(*value);
  return absl::OkStatus();
}

}  // namespace

absl::Status NormalizeOperation(common::v1::Operation& operation, size_t json_depth_max) {
  RETURN_IF_ERROR(Normalize("data", Shape::kAny, json_depth_max, *operation.mutable_data()));
  RETURN_IF_ERROR(
      Normalize("patch", Shape::kObjectOrArray, json_depth_max, *operation.mutable_patch()));
  RETURN_IF_ERROR(Normalize("text", Shape::kObject, json_depth_max, *operation.mutable_text()));
  return Normalize("metadata", Shape::kObject, json_depth_max, *operation.mutable_metadata());
}

}  // namespace bdcsync::gateway
