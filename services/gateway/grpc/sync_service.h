// SyncService: what other services may ask of the gateway, over the same pipeline, reads and feed
// as the WebSocket. Translates and decides nothing. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/sync/v1/sync.grpc.pb.h"
#include "libs/base/clock.h"
#include "services/gateway/grpc/gated_service.h"
#include "services/gateway/grpc/grpc_watch.h"
#include "services/gateway/pipeline/device_client.h"
#include "services/gateway/pipeline/device_standing.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/operations.h"
#include "services/gateway/session/reads.h"
#include "services/gateway/session/session_directory.h"

namespace bdcsync::gateway {

class TokenVerifier;

struct SyncServiceDependencies {
  const TokenVerifier& tokens;
  OperationPipeline& operations;
  EntityReads& reads;
  DeviceClient& devices;
  DeviceStanding& standing;
  AccessListener& access;
  WatchHost& watches;
  SessionMetrics& metrics;
  std::function<sync::v1::GetStatusResponse()> status;
  size_t json_depth_max = 64;
  int operations_per_batch_max = 1000;  // limits.operations_per_batch
  // Without a token, callers may name themselves in `x-user-id` metadata: development only.
  bool require_authentication = true;
};

class SyncService final : public sync::v1::SyncService::CallbackService {
 public:
  // Serves from now on; before, every call is UNAVAILABLE. What is referred to is borrowed until no
  // call is in flight.
  void Serve(const SyncServiceDependencies* dependencies) { to_.Begin(dependencies); }
  // Refuses calls from now on, with UNAVAILABLE. Those in flight go on.
  void Stop() { to_.Stop(); }

  grpc::ServerUnaryReactor* ProcessSync(grpc::CallbackServerContext* context,
                                        const sync::v1::ProcessSyncRequest* request,
                                        sync::v1::ProcessSyncResponse* response) override;
  grpc::ServerUnaryReactor* ProcessSyncBatch(grpc::CallbackServerContext* context,
                                             const sync::v1::ProcessSyncBatchRequest* request,
                                             sync::v1::ProcessSyncBatchResponse* response) override;
  grpc::ServerUnaryReactor* GetEntity(grpc::CallbackServerContext* context,
                                      const sync::v1::GetEntityRequest* request,
                                      sync::v1::GetEntityResponse* response) override;
  grpc::ServerUnaryReactor* ListEntities(grpc::CallbackServerContext* context,
                                         const sync::v1::ListEntitiesRequest* request,
                                         sync::v1::ListEntitiesResponse* response) override;
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const sync::v1::GetHistoryRequest* request,
                                       sync::v1::GetHistoryResponse* response) override;
  grpc::ServerUnaryReactor* Diff(grpc::CallbackServerContext* context,
                                 const sync::v1::DiffRequest* request,
                                 sync::v1::DiffResponse* response) override;
  grpc::ServerWriteReactor<sync::v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context, const sync::v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context,
                                        const sync::v1::ListDevicesRequest* request,
                                        sync::v1::ListDevicesResponse* response) override;
  grpc::ServerUnaryReactor* RevokeDevice(grpc::CallbackServerContext* context,
                                         const sync::v1::RevokeDeviceRequest* request,
                                         sync::v1::RevokeDeviceResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const sync::v1::GetStatusRequest* request,
                                      sync::v1::GetStatusResponse* response) override;

 private:
  // Authenticates and checks the caller's device, then runs `handle(dependencies, caller, done)`,
  // which must run done(status) once.
  template <typename Handle>
  grpc::ServerUnaryReactor* Authenticated(grpc::CallbackServerContext* context, Handle handle);

  Served<SyncServiceDependencies> to_;
};

}  // namespace bdcsync::gateway
