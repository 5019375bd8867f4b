// Code that sees every write on its way through the pipeline, in the order of registration:
// auditing, policies, quotas. Thread-safe; must not block.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class OperationMiddleware {
 public:
  virtual ~OperationMiddleware() = default;
  // The operation is valid and allowed; it may be changed, or refused by a status with a reason.
  virtual absl::Status Before(const Caller& caller, common::v1::Operation& operation) = 0;
  // Its outcome; also that of operations refused by any stage. Not the later outcome of one that
  // was queued. `request_id` is the one in the logs, empty where the caller gave none.
  virtual void After(const Caller& caller, absl::string_view request_id,
                     common::v1::OperationKind kind, const sync::v1::OperationResult& result) = 0;
};

}  // namespace bdcsync::gateway
