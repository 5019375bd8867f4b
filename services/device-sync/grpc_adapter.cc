#include "services/device-sync/grpc_adapter.h"

#include <utility>
#include <vector>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/bus/bus.h"
#include "libs/rpc/status.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::device_sync {
namespace {

// As the contract names it (SessionNotice).
constexpr absl::string_view kSessionsChannel = "bdc:sessions";

}  // namespace

// Runs `handle(registry)` on a worker and answers with its status.
void GrpcAdapter::AddTo(rpc::Server& server) {
  server.AddService(this, rpc::Audience::kSuite);
  rpc::ServeOnStreams<v1::DeviceSyncService>(
      server, &GrpcAdapter::RegisterDevice, &GrpcAdapter::RegisterDevices, &GrpcAdapter::GetDevice,
      &GrpcAdapter::ListDevices, &GrpcAdapter::RemoveDevice, &GrpcAdapter::RevokeDevice,
      &GrpcAdapter::RecordPurges, &GrpcAdapter::Heartbeat, &GrpcAdapter::AckCursors,
      &GrpcAdapter::GetCursors);
}

template <typename Handle>
grpc::ServerUnaryReactor* GrpcAdapter::OnWorker(grpc::CallbackServerContext* context,
                                                Handle handle) {
  Registry* const registry = registry_.load();
  if (registry == nullptr) {
    return rpc::FinishNow(context, MakeError(Reason::kUnavailable, "device-sync is starting"));
  }
  return rpc::HandleOnPool(context, workers_,
                           [registry, handle = std::move(handle)] { return handle(*registry); });
}

grpc::ServerUnaryReactor* GrpcAdapter::RegisterDevice(grpc::CallbackServerContext* context,
                                                      const v1::RegisterDeviceRequest* request,
                                                      v1::RegisterDeviceResponse* response) {
  return OnWorker(context, [request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(*response, registry.Register(request->device()));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::RegisterDevices(grpc::CallbackServerContext* context,
                                                       const v1::RegisterDevicesRequest* request,
                                                       v1::RegisterDevicesResponse* response) {
  return OnWorker(context, [this, request, response](Registry& registry) -> absl::Status {
    metrics_.registration_batch_items.Observe(request->devices_size());
    const std::vector<const v1::Device*> devices(request->devices().pointer_begin(),
                                                 request->devices().pointer_end());
    ASSIGN_OR_RETURN(auto answers, registry.RegisterAll(devices));
    for (absl::StatusOr<v1::RegisterDeviceResponse>& answer : answers) {
      v1::RegisterDeviceResult& result = *response->add_results();
      if (answer.ok()) {
        *result.mutable_registered() = *std::move(answer);
      } else {
        rpc::ToProto(answer.status(), *result.mutable_error());
      }
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::GetDevice(grpc::CallbackServerContext* context,
                                                 const v1::GetDeviceRequest* request,
                                                 v1::GetDeviceResponse* response) {
  return OnWorker(context, [request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_device(),
                     registry.Get(request->user_id(), request->device_id()));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::ListDevices(grpc::CallbackServerContext* context,
                                                   const v1::ListDevicesRequest* request,
                                                   v1::ListDevicesResponse* response) {
  return OnWorker(context, [request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(*response, registry.List(*request));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::RemoveDevice(grpc::CallbackServerContext* context,
                                                    const v1::RemoveDeviceRequest* request,
                                                    v1::RemoveDeviceResponse* /*response*/) {
  return OnWorker(context, [request](Registry& registry) {
    return registry.Remove(request->user_id(), request->device_id());
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::RevokeDevice(grpc::CallbackServerContext* context,
                                                    const v1::RevokeDeviceRequest* request,
                                                    v1::RevokeDeviceResponse* response) {
  return OnWorker(context, [this, request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(*response->mutable_device(),
                     registry.Revoke(request->user_id(), request->device_id()));
    metrics_.revocations.Add();
    v1::SessionNotice notice;
    notice.mutable_revoked()->set_user_id(request->user_id());
    notice.mutable_revoked()->set_device_id(request->device_id());
    bus_.Publish(kSessionsChannel, notice.SerializeAsString());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::RecordPurges(grpc::CallbackServerContext* context,
                                                    const v1::RecordPurgesRequest* request,
                                                    v1::RecordPurgesResponse* /*response*/) {
  return OnWorker(context, [this, request](Registry& registry) -> absl::Status {
    RETURN_IF_ERROR(registry.RecordPurges(*request));
    metrics_.purges.Add(request->items_size());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::Heartbeat(grpc::CallbackServerContext* context,
                                                 const v1::HeartbeatRequest* request,
                                                 v1::HeartbeatResponse* response) {
  return OnWorker(context, [this, request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(Noted noted, registry.Heartbeat(*request));
    metrics_.heartbeat_batch_items.Observe(request->items_size());
    metrics_.heartbeats_noted.Add(static_cast<double>(noted.count));
    metrics_.heartbeats_skipped.Add(static_cast<double>(request->items_size() - noted.count));
    for (v1::DeviceName& device : noted.revoked) *response->add_revoked() = std::move(device);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::AckCursors(grpc::CallbackServerContext* context,
                                                  const v1::AckCursorsRequest* request,
                                                  v1::AckCursorsResponse* /*response*/) {
  return OnWorker(context, [this, request](Registry& registry) {
    metrics_.cursor_batch_items.Observe(request->acks_size());
    return registry.AckCursors(*request);
  });
}

grpc::ServerUnaryReactor* GrpcAdapter::GetCursors(grpc::CallbackServerContext* context,
                                                  const v1::GetCursorsRequest* request,
                                                  v1::GetCursorsResponse* response) {
  return OnWorker(context, [request, response](Registry& registry) -> absl::Status {
    ASSIGN_OR_RETURN(*response, registry.GetCursors(request->user_id(), request->device_id()));
    return absl::OkStatus();
  });
}

}  // namespace bdcsync::device_sync
