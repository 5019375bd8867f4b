// DeviceSyncService over gRPC: translates calls to the registry and decides nothing. Every call
// waits for storage, so it runs on a worker. What was revoked is told to the gateways over the bus.
// Thread-safe.
#pragma once

#include <atomic>

#include "bdcsync/device_sync/v1/device_sync.grpc.pb.h"
#include "libs/rpc/server.h"
#include "services/device-sync/metrics.h"
#include "services/device-sync/registry.h"

namespace bdcsync::bus {
class Bus;
}
namespace bdcsync::rpc {
class WorkerPool;
}

namespace bdcsync::device_sync {

class GrpcAdapter final : public v1::DeviceSyncService::CallbackService {
 public:
  // Borrows all of these. Answers UNAVAILABLE until Serve.
  GrpcAdapter(rpc::WorkerPool& workers, bus::Bus& bus, Metrics& metrics)
      : workers_(workers), bus_(bus), metrics_(metrics) {}

  // Makes it a service of `server`, which must go first.
  void AddTo(rpc::Server& server);
  // From now on calls reach `registry`, which must outlive the last of them.
  void Serve(Registry& registry) { registry_.store(&registry); }

  grpc::ServerUnaryReactor* RegisterDevice(grpc::CallbackServerContext* context,
                                           const v1::RegisterDeviceRequest* request,
                                           v1::RegisterDeviceResponse* response) override;
  grpc::ServerUnaryReactor* RegisterDevices(grpc::CallbackServerContext* context,
                                            const v1::RegisterDevicesRequest* request,
                                            v1::RegisterDevicesResponse* response) override;
  grpc::ServerUnaryReactor* GetDevice(grpc::CallbackServerContext* context,
                                      const v1::GetDeviceRequest* request,
                                      v1::GetDeviceResponse* response) override;
  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context,
                                        const v1::ListDevicesRequest* request,
                                        v1::ListDevicesResponse* response) override;
  grpc::ServerUnaryReactor* RemoveDevice(grpc::CallbackServerContext* context,
                                         const v1::RemoveDeviceRequest* request,
                                         v1::RemoveDeviceResponse* response) override;
  grpc::ServerUnaryReactor* RevokeDevice(grpc::CallbackServerContext* context,
                                         const v1::RevokeDeviceRequest* request,
                                         v1::RevokeDeviceResponse* response) override;
  grpc::ServerUnaryReactor* RecordPurges(grpc::CallbackServerContext* context,
                                         const v1::RecordPurgesRequest* request,
                                         v1::RecordPurgesResponse* response) override;
  grpc::ServerUnaryReactor* Heartbeat(grpc::CallbackServerContext* context,
                                      const v1::HeartbeatRequest* request,
                                      v1::HeartbeatResponse* response) override;
  grpc::ServerUnaryReactor* AckCursors(grpc::CallbackServerContext* context,
                                       const v1::AckCursorsRequest* request,
                                       v1::AckCursorsResponse* response) override;
  grpc::ServerUnaryReactor* GetCursors(grpc::CallbackServerContext* context,
                                       const v1::GetCursorsRequest* request,
                                       v1::GetCursorsResponse* response) override;

 private:
  template <typename Handle>
  grpc::ServerUnaryReactor* OnWorker(grpc::CallbackServerContext* context, Handle handle);

  rpc::WorkerPool& workers_;
  bus::Bus& bus_;
  Metrics& metrics_;
  std::atomic<Registry*> registry_{nullptr};
};

}  // namespace bdcsync::device_sync
