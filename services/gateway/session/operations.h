// The way of an operation from a session or gRPC call to its outcome: validate, authorise,
// rate-limit, middleware, commit or spool. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "bdcsync/common/v1/common.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

struct SubmitOptions {
  // The operations came in one sync_batch: one that is refused refuses the later ones on its
  // entity.
  bool batch = false;
  // All or none apply; one space only.
  bool atomic = false;
  // The caller's name for the request: for the logs, together with the session's. May be empty.
  std::string request_id;
};

class OperationPipeline {
 public:
  using Done = absl::AnyInvocable<void(std::vector<sync::v1::OperationResult>)>;

  virtual ~OperationPipeline() = default;
  // Decides on `operations`, in order. Operations on one entity, submitted one call after another
  // from one thread, are committed in that order. `done` runs exactly once, on any thread (also
  // within this call), with one result per operation in order; every refusal is a result. An empty
  // space means the caller's own, an empty op_id is filled in.
  virtual void Submit(std::shared_ptr<const Caller> caller,
                      std::vector<common::v1::Operation> operations, SubmitOptions options,
                      Done done) = 0;
};

// Told the outcome of operations that were answered `queued`, some time later.
class OutcomeListener {
 public:
  virtual ~OutcomeListener() = default;
  // Any thread. The session may be long gone: then nothing happens.
  virtual void OnOutcome(absl::string_view session_id, sync::v1::OperationResult result) = 0;
};

}  // namespace bdcsync::gateway
