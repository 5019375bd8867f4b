#include "clients/cli/words.h"

namespace bdcsync::cli {
namespace {

constexpr absl::string_view kUnknown = "unknown";

}  // namespace

absl::string_view WordOf(common::v1::Outcome outcome) {
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
    case common::v1::OUTCOME_REJECTED:
      return "rejected";
    default:
      return kUnknown;
  }
}

absl::string_view WordOf(conflict::v1::ConflictState state) {
  switch (state) {
    case conflict::v1::CONFLICT_STATE_OPENING:
    case conflict::v1::CONFLICT_STATE_OPEN:
      return "open";
    case conflict::v1::CONFLICT_STATE_ASSIGNED:
      return "assigned";
    case conflict::v1::CONFLICT_STATE_RESOLVED:
      return "resolved";
    case conflict::v1::CONFLICT_STATE_EXPIRED:
      return "expired";
    case conflict::v1::CONFLICT_STATE_SUPERSEDED:
      return "superseded";
    case conflict::v1::CONFLICT_STATE_CANCELLED:
      return "cancelled";
    default:
      return kUnknown;
  }
}

absl::string_view WordOf(common::v1::OperationKind kind) {
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
      return kUnknown;
  }
}

absl::string_view WordOf(sync::v1::ChangeKind kind) {
  switch (kind) {
    case sync::v1::CHANGE_KIND_ENTER:
      return "enter";
    case sync::v1::CHANGE_KIND_UPDATE:
      return "update";
    case sync::v1::CHANGE_KIND_LEAVE:
      return "leave";
    case sync::v1::CHANGE_KIND_DELETE:
      return "delete";
    default:
      return kUnknown;
  }
}

absl::string_view WordOf(device_sync::v1::Network network) {
  switch (network) {
    case device_sync::v1::NETWORK_WIFI:
      return "wifi";
    case device_sync::v1::NETWORK_CELLULAR:
      return "cellular";
    case device_sync::v1::NETWORK_METERED:
      return "metered";
    default:
      return kUnknown;
  }
}

}  // namespace bdcsync::cli
