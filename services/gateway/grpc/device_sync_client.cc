#include "services/gateway/grpc/device_sync_client.h"

#include <grpcpp/channel.h>

#include <atomic>
#include <utility>

#include "bdcsync/device_sync/v1/device_sync.grpc.pb.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {
namespace {

using device_sync::v1::DeviceSyncService;
using Async = DeviceSyncService::StubInterface::async_interface;

}  // namespace

struct DeviceSyncClient::State {
  std::vector<std::unique_ptr<DeviceSyncService::Stub>> stubs;
  rpc::CallOptions options;
  std::atomic<size_t> next{0};
  GrpcCalls calls;  // Last: ended before the stubs go.

  template <typename Request, typename Response>
  void Call(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>),
            Request request, Done<Response> done) {
    Async& async = *stubs[next.fetch_add(1) % stubs.size()]->async();
    calls.Start(async, method, std::move(request), options, std::move(done));
  }
};

DeviceSyncClient::DeviceSyncClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                   absl::Duration timeout)
    : state_(std::make_unique<State>()) {
  for (const auto& channel : channels) state_->stubs.push_back(DeviceSyncService::NewStub(channel));
  state_->options.timeout = timeout;
}

DeviceSyncClient::~DeviceSyncClient() = default;

void DeviceSyncClient::RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                                       Done<device_sync::v1::RegisterDevicesResponse> done) {
  state_->Call(&Async::RegisterDevices, std::move(request), std::move(done));
}

void DeviceSyncClient::GetDevice(device_sync::v1::GetDeviceRequest request,
                                 Done<device_sync::v1::GetDeviceResponse> done) {
  state_->Call(&Async::GetDevice, std::move(request), std::move(done));
}

void DeviceSyncClient::ListDevices(device_sync::v1::ListDevicesRequest request,
                                   Done<device_sync::v1::ListDevicesResponse> done) {
  state_->Call(&Async::ListDevices, std::move(request), std::move(done));
}

void DeviceSyncClient::RevokeDevice(device_sync::v1::RevokeDeviceRequest request,
                                    Done<device_sync::v1::RevokeDeviceResponse> done) {
  state_->Call(&Async::RevokeDevice, std::move(request), std::move(done));
}

void DeviceSyncClient::RecordPurges(device_sync::v1::RecordPurgesRequest request,
                                    Done<device_sync::v1::RecordPurgesResponse> done) {
  state_->Call(&Async::RecordPurges, std::move(request), std::move(done));
}

void DeviceSyncClient::Heartbeat(device_sync::v1::HeartbeatRequest request,
                                 Done<device_sync::v1::HeartbeatResponse> done) {
  state_->Call(&Async::Heartbeat, std::move(request), std::move(done));
}

void DeviceSyncClient::AckCursors(device_sync::v1::AckCursorsRequest request,
                                  Done<device_sync::v1::AckCursorsResponse> done) {
  state_->Call(&Async::AckCursors, std::move(request), std::move(done));
}

void DeviceSyncClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = device_sync::v1::HeartbeatResponse;
  Heartbeat({}, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void DeviceSyncClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
