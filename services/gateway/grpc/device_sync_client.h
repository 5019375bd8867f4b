// The device-sync service over gRPC. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/gateway/pipeline/device_client.h"

namespace bdcsync::gateway {

class DeviceSyncClient final : public DeviceClient {
 public:
  // One peer per replica, at least one; calls take turns. Every call ends within `timeout`.
  DeviceSyncClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~DeviceSyncClient() override;

  void RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                       Done<device_sync::v1::RegisterDevicesResponse> done) override;
  void GetDevice(device_sync::v1::GetDeviceRequest request,
                 Done<device_sync::v1::GetDeviceResponse> done) override;
  void ListDevices(device_sync::v1::ListDevicesRequest request,
                   Done<device_sync::v1::ListDevicesResponse> done) override;
  void RevokeDevice(device_sync::v1::RevokeDeviceRequest request,
                    Done<device_sync::v1::RevokeDeviceResponse> done) override;
  void RecordPurges(device_sync::v1::RecordPurgesRequest request,
                    Done<device_sync::v1::RecordPurgesResponse> done) override;
  void Heartbeat(device_sync::v1::HeartbeatRequest request,
                 Done<device_sync::v1::HeartbeatResponse> done) override;
  void AckCursors(device_sync::v1::AckCursorsRequest request,
                  Done<device_sync::v1::AckCursorsResponse> done) override;

  // Whether the service answers.
  void Ping(absl::AnyInvocable<void(absl::Status)> done);
  // Ends all calls; returns when no callback runs any more.
  void Shutdown();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace bdcsync::gateway
