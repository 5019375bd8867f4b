// Who needs what: the devices of all users, whether they are online, and how far each has got in
// every space. Checks what callers say, and folds batches so that storage sees each device once.
// Thread-safe; calls wait for storage, so make them on worker threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "libs/base/clock.h"
#include "services/device-sync/device_storage.h"

namespace bdcsync::device_sync {

struct RegistryOptions {
  absl::Duration heartbeat_interval = absl::Seconds(30);
  int64_t devices_per_user_max = 1000;
};

class Registry {
 public:
  // `storage` and `clock` are borrowed and must outlive the registry.
  Registry(DeviceStorage& storage, const Clock& clock, RegistryOptions options);

  // Every method: kInvalidArgument names the field at fault: never retry as it is. UNAVAILABLE: the
  // database gave no answer: retry.

  // Makes the device or replaces its description. A revoked device is told as it is.
  //   kQuotaExceeded  the user has as many devices as allowed: remove one first.
  absl::StatusOr<v1::RegisterDeviceResponse> Register(const v1::Device& device);
  // The same for a batch that is stored together, answered in its order; what refuses one device
  // refuses no other.
  absl::StatusOr<std::vector<absl::StatusOr<v1::RegisterDeviceResponse>>> RegisterAll(
      absl::Span<const v1::Device* const> devices);
  //   kNotFound  the user has no device of this id.
  absl::StatusOr<v1::Device> Get(absl::string_view user_id, absl::string_view device_id);
  // Latest seen first. A device that shows a sign of life between two pages moves to the front and
  // may be missed by the later page.
  absl::StatusOr<v1::ListDevicesResponse> List(const v1::ListDevicesRequest& request);
  // OK also when there is none.
  absl::Status Remove(absl::string_view user_id, absl::string_view device_id);
  // For good; revoking again changes nothing.
  //   kNotFound  the user has no device of this id.
  absl::StatusOr<v1::Device> Revoke(absl::string_view user_id, absl::string_view device_id);
  // All or nothing is checked, then devices that do not exist are skipped.
  absl::Status RecordPurges(const v1::RecordPurgesRequest& request);
  absl::StatusOr<Noted> Heartbeat(const v1::HeartbeatRequest& request);
  absl::Status AckCursors(const v1::AckCursorsRequest& request);
  absl::StatusOr<v1::GetCursorsResponse> GetCursors(absl::string_view user_id,
                                                    absl::string_view device_id);

  void set_heartbeat_interval(absl::Duration interval);

 private:
  v1::Device Finish(DeviceRecord record) const;
  v1::RegisterDeviceResponse Registered(DeviceRecord record, int64_t later_registrations,
                                        const std::vector<std::string>& spaces) const;
  // Adds the receipts of these devices of one user.
  absl::Status AddPurges(absl::string_view user_id, absl::Span<v1::Device* const> devices);

  DeviceStorage& storage_;
  const Clock& clock_;
  const int64_t devices_per_user_max_;
  std::atomic<int64_t> heartbeat_interval_ms_;
};

}  // namespace bdcsync::device_sync
