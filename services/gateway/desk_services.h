// The desk of a gateway as one part: the clients behind it, the desk itself, and the worker.
#pragma once

#include <vector>

#include "libs/app/context.h"
#include "libs/rpc/health_probe.h"
#include "services/gateway/desk/conflict_worker.h"
#include "services/gateway/desk/desk.h"
#include "services/gateway/grpc/conflict_client.h"

namespace bdcsync::gateway {

class DeskServices {
 public:
  // Everything but the peers is borrowed. The worker lives on `loop`.
  DeskServices(app::Context& context, const std::vector<rpc::Peer>& conflict,
               absl::Duration timeout, ConflictVersions& versions, RateLimiter& rates, Loop& loop,
               const ConflictWorkerOptions& options, ConflictWorkerMetrics& metrics)
      : client_(conflict, timeout),
        probe_([this](auto answer) { client_.Ping(std::move(answer)); }, context.clock()),
        desk_(client_, versions, rates, context.logger()),
        worker_(
            {client_, versions, loop, context.clock(), context.random(), context.logger(), metrics},
            options) {}

  ConflictDesk& desk() { return desk_; }
  ConflictWorker& worker() { return worker_; }
  // The last that was heard of the conflict service; asks again.
  absl::Status Health() { return probe_.Last(); }
  // From here on no callback of the conflict service runs.
  void Shutdown() { client_.Shutdown(); }

 private:
  GrpcConflictClient client_;
  rpc::HealthProbe probe_;
  Desk desk_;
  ConflictWorker worker_;
};

}  // namespace bdcsync::gateway
