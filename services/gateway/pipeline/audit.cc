#include "services/gateway/pipeline/audit.h"

#include "services/gateway/protocol/names.h"

namespace bdcsync::gateway {

absl::Status Audit::Before(const Caller& caller, common::v1::Operation& operation) {
  return absl::OkStatus();
}

void Audit::After(const Caller& caller, absl::string_view request_id,
                  common::v1::OperationKind kind, const sync::v1::OperationResult& result) {
  if (!logger_.Enabled(log::Level::kInfo)) return;
  logger_.Info("write", {{"user_id", caller.user_id},
                         {"device_id", caller.device_id},
                         {"session_id", caller.session_id},
                         {"request_id", request_id},
                         {"operation", OperationName(kind)},
                         {"op_id", result.op_id()},
                         {"space", result.entity().space()},
                         {"entity_type", result.entity().entity_type()},
                         {"entity_id", result.entity().entity_id()},
                         {"branch", result.entity().branch()},
                         {"outcome", OutcomeName(result.outcome())},
                         {"version_id", result.version_id()},
                         {"error", result.error().code()}});
}

}  // namespace bdcsync::gateway
