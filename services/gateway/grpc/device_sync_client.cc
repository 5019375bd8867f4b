#include "services/gateway/grpc/device_sync_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/device_sync/v1/device_sync.grpc.pb.h"
#include "services/gateway/grpc/replicas_client.h"

namespace bdcsync::gateway {
namespace {

using device_sync::v1::DeviceSyncService;

constexpr auto kRegisterDevices = [](auto& end, auto... call) {
  return end.RegisterDevices(std::move(call)...);
};
constexpr auto kGetDevice = [](auto& end, auto... call) {
  return end.GetDevice(std::move(call)...);
};
constexpr auto kListDevices = [](auto& end, auto... call) {
  return end.ListDevices(std::move(call)...);
};
constexpr auto kRevokeDevice = [](auto& end, auto... call) {
  return end.RevokeDevice(std::move(call)...);
};
constexpr auto kRecordPurges = [](auto& end, auto... call) {
  return end.RecordPurges(std::move(call)...);
};
constexpr auto kHeartbeat = [](auto& end, auto... call) {
  return end.Heartbeat(std::move(call)...);
};
constexpr auto kAckCursors = [](auto& end, auto... call) {
  return end.AckCursors(std::move(call)...);
};

}  // namespace

struct DeviceSyncClient::State {
  State(const std::vector<rpc::Peer>& peers, absl::Duration timeout) : calls(peers, timeout) {}

  // What the methods store is the same when it is stored again.
  template <typename Method, typename Request, typename Response>
  void Call(Method method, Request request, Done<Response> done) {
    calls.Call(next.fetch_add(1), method, std::move(request), std::move(done));
  }

  ReplicasClient<DeviceSyncService> calls;
  std::atomic<size_t> next{0};
};

DeviceSyncClient::DeviceSyncClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : state_(std::make_unique<State>(peers, timeout)) {}

DeviceSyncClient::~DeviceSyncClient() = default;

void DeviceSyncClient::RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                                       Done<device_sync::v1::RegisterDevicesResponse> done) {
  state_->Call(kRegisterDevices, std::move(request), std::move(done));
}

void DeviceSyncClient::GetDevice(device_sync::v1::GetDeviceRequest request,
                                 Done<device_sync::v1::GetDeviceResponse> done) {
  state_->Call(kGetDevice, std::move(request), std::move(done));
}

void DeviceSyncClient::ListDevices(device_sync::v1::ListDevicesRequest request,
                                   Done<device_sync::v1::ListDevicesResponse> done) {
  state_->Call(kListDevices, std::move(request), std::move(done));
}

void DeviceSyncClient::RevokeDevice(device_sync::v1::RevokeDeviceRequest request,
                                    Done<device_sync::v1::RevokeDeviceResponse> done) {
  state_->Call(kRevokeDevice, std::move(request), std::move(done));
}

void DeviceSyncClient::RecordPurges(device_sync::v1::RecordPurgesRequest request,
                                    Done<device_sync::v1::RecordPurgesResponse> done) {
  state_->Call(kRecordPurges, std::move(request), std::move(done));
}

void DeviceSyncClient::Heartbeat(device_sync::v1::HeartbeatRequest request,
                                 Done<device_sync::v1::HeartbeatResponse> done) {
  state_->Call(kHeartbeat, std::move(request), std::move(done));
}

void DeviceSyncClient::AckCursors(device_sync::v1::AckCursorsRequest request,
                                  Done<device_sync::v1::AckCursorsResponse> done) {
  state_->Call(kAckCursors, std::move(request), std::move(done));
}

void DeviceSyncClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = device_sync::v1::HeartbeatResponse;
  Heartbeat({}, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void DeviceSyncClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
