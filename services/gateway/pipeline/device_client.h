// What the gateway needs of the device-sync service. Thread-safe; callbacks run exactly once, on
// any thread, and must not block.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"

namespace bdcsync::gateway {

class DeviceClient {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~DeviceClient() = default;
  virtual void RegisterDevices(device_sync::v1::RegisterDevicesRequest request,
                               Done<device_sync::v1::RegisterDevicesResponse> done) = 0;
  virtual void GetDevice(device_sync::v1::GetDeviceRequest request,
                         Done<device_sync::v1::GetDeviceResponse> done) = 0;
  virtual void ListDevices(device_sync::v1::ListDevicesRequest request,
                           Done<device_sync::v1::ListDevicesResponse> done) = 0;
  virtual void RevokeDevice(device_sync::v1::RevokeDeviceRequest request,
                            Done<device_sync::v1::RevokeDeviceResponse> done) = 0;
  virtual void RecordPurges(device_sync::v1::RecordPurgesRequest request,
                            Done<device_sync::v1::RecordPurgesResponse> done) = 0;
  virtual void Heartbeat(device_sync::v1::HeartbeatRequest request,
                         Done<device_sync::v1::HeartbeatResponse> done) = 0;
  virtual void AckCursors(device_sync::v1::AckCursorsRequest request,
                          Done<device_sync::v1::AckCursorsResponse> done) = 0;
};

}  // namespace bdcsync::gateway
