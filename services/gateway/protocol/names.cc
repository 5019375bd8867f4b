#include "services/gateway/protocol/names.h"

namespace bdcsync::gateway {

absl::string_view OutcomeName(common::v1::Outcome outcome) {
  switch (outcome) {
    case common::v1::OUTCOME_APPLIED:
      return "applied";
    case common::v1::OUTCOME_MERGED:
      return "merged";
    case common::v1::OUTCOME_DUPLICATE:
      return "duplicate";
    case common::v1::OUTCOME_CONFLICT:
      return "conflict";
    case common::v1::OUTCOME_QUEUED:
      return "queued";
    default:
      return "rejected";
  }
}

absl::string_view OperationName(common::v1::OperationKind kind) {
  switch (kind) {
    case common::v1::OPERATION_KIND_CREATE:
      return "create";
    case common::v1::OPERATION_KIND_UPDATE:
      return "update";
    case common::v1::OPERATION_KIND_PATCH:
      return "patch";
    case common::v1::OPERATION_KIND_DELETE:
      return "delete";
    case common::v1::OPERATION_KIND_TEXT:
      return "text";
    default:
      return "unknown";
  }
}

}  // namespace bdcsync::gateway
