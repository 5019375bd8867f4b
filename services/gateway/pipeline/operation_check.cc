#include "services/gateway/pipeline/operation_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/key.h"

namespace bdcsync::gateway {
namespace {

using common::v1::Operation;

absl::Status CheckSize(absl::string_view field, const std::string& value, size_t bytes_max) {
  if (value.size() <= bytes_max) return absl::OkStatus();
  return MakeErrorAt(Reason::kTooLarge, field, absl::StrCat("at most ", bytes_max, " bytes"));
}

absl::Status CheckOpId(const std::string& op_id, const OperationLimits& limits) {
  const bool printable =
      std::all_of(op_id.begin(), op_id.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (op_id.empty() || op_id.size() > limits.op_id_bytes_max || !printable) {
    return MakeErrorAt(
        Reason::kInvalidArgument, "op_id",
        absl::StrCat("1 to ", limits.op_id_bytes_max, " visible ASCII characters, e.g. a UUID"));
  }
  return absl::OkStatus();
}

// The one body that the kind needs; an operation carries no other.
absl::Status CheckBody(const Operation& operation) {
  const bool wants_data = operation.kind() == common::v1::OPERATION_KIND_CREATE ||
                          operation.kind() == common::v1::OPERATION_KIND_UPDATE;
  const bool wants_patch = operation.kind() == common::v1::OPERATION_KIND_PATCH;
  const bool wants_text = operation.kind() == common::v1::OPERATION_KIND_TEXT;
  const auto check = [](absl::string_view field, const std::string& body, bool wanted) {
    if (body.empty() != wanted) return absl::OkStatus();
    return MakeErrorAt(Reason::kInvalidArgument, field,
                       wanted ? "this operation needs it" : "this operation carries none");
  };
  RETURN_IF_ERROR(check("data", operation.data(), wants_data));
  RETURN_IF_ERROR(check("patch", operation.patch(), wants_patch));
  return check("text", operation.text(), wants_text);
}

// Old changes come from devices that were offline for long; those from the future, or from before a
// device can have been offline, come from a clock that is wrong.
absl::Status CheckClientTime(const Operation& operation, const OperationLimits& limits,
                             absl::Time now) {
  if (operation.client_time_ms() == 0) return absl::OkStatus();
  const absl::Duration ahead = absl::FromUnixMillis(operation.client_time_ms()) - now;
  if (ahead > limits.client_time_ahead_max || -ahead > limits.client_time_behind_max) {
    return MakeErrorAt(
        Reason::kClockSkew, "client_time",
        absl::StrCat(
            "this is ",
            absl::FormatDuration(absl::Trunc(absl::AbsDuration(ahead), absl::Milliseconds(1))),
            ahead > absl::ZeroDuration() ? " ahead of" : " behind", " the server's clock"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOperation(const Operation& operation, const OperationLimits& limits,
                            absl::Time now) {
  RETURN_IF_ERROR(CheckOpId(operation.op_id(), limits));
  RETURN_IF_ERROR(entity::ValidateKey(entity::ViewOf(operation.entity())));
  if (operation.kind() == common::v1::OPERATION_KIND_UNSPECIFIED ||
      !common::v1::OperationKind_IsValid(operation.kind())) {
    return MakeErrorAt(Reason::kInvalidArgument, "operation",
                       "create, update, patch, delete or text");
  }
  RETURN_IF_ERROR(CheckBody(operation));
  RETURN_IF_ERROR(CheckSize("data", operation.data(), limits.data_bytes_max));
  RETURN_IF_ERROR(CheckSize("patch", operation.patch(), limits.data_bytes_max));
  RETURN_IF_ERROR(CheckSize("text", operation.text(), limits.data_bytes_max));
  RETURN_IF_ERROR(CheckSize("category", operation.category(), limits.category_bytes_max));
  RETURN_IF_ERROR(CheckSize("message", operation.message(), limits.message_bytes_max));
  RETURN_IF_ERROR(CheckSize("metadata", operation.metadata(), limits.metadata_bytes_max));
  RETURN_IF_ERROR(CheckClientTime(operation, limits, now));
  return CheckSize("base_version", operation.base_version(), limits.base_version_bytes_max);
}

}  // namespace bdcsync::gateway
