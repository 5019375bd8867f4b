// Whether devices are revoked, for calls that have no session to be told in: what the registry said
// last of each, for a stated time, and what the bus says meanwhile. Calls for one device wait for
// one question. Bounded. Thread-safe; `done` runs on any thread, also within the call.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/metrics/registry.h"
#include "services/gateway/pipeline/device_client.h"

namespace bdcsync::gateway {

struct DeviceStandingLimits {
  absl::Duration age_max = absl::Seconds(30);     // security.device_check_interval
  absl::Duration wait_max = absl::Seconds(2);     // For an answer of the registry,
  absl::Duration retry_after = absl::Seconds(1);  // which is asked again after this.
  size_t devices_max = 100'000;                   // Known at a time; the longest known give way.
};

class DeviceStanding {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  // Borrowed. No question may be in flight when this is destroyed.
  DeviceStanding(DeviceClient& client, const Clock& clock, metrics::Registry& registry,
                 DeviceStandingLimits limits);

  // OK when the device may act: it is not revoked, is not registered, or the registry gives no
  // answer, which must not stop those who have a valid token.
  //   kForbidden  the device was revoked.
  void Check(absl::string_view user_id, absl::string_view device_id, Done done);
  // The device is known to be revoked.
  void OnRevoked(const device_sync::v1::DeviceName& device);
  // Whether it was revoked by all that is known here; asks nobody.
  bool KnownRevoked(absl::string_view user_id, absl::string_view device_id) const;

 private:
  using Device = std::pair<std::string, std::string>;  // User and device.
  struct Entry {
    bool revoked = false;
    absl::Duration known = -absl::InfiniteDuration();      // Since when; monotonic.
    absl::Duration ask_after = -absl::InfiniteDuration();  // Monotonic.
    absl::Duration asked = -absl::InfiniteDuration();      // The question in flight; monotonic.
    std::vector<Done> waiting;                             // For the question in flight.
    std::list<Device>::iterator place;                     // In `order_`.
  };

  Entry& EntryOf(const Device& device) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Learn(Entry& entry, bool revoked) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Ask(const Device& device);
  void OnAnswer(const Device& device, const absl::StatusOr<device_sync::v1::GetDeviceResponse>&);

  DeviceClient& client_;
  const Clock& clock_;
  const DeviceStandingLimits limits_;
  metrics::Counter& known_;
  metrics::Counter& asked_;
  metrics::Counter& unanswered_;
  metrics::Counter& refused_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Device, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::list<Device> order_ ABSL_GUARDED_BY(mutex_);  // The longest known first.
};

}  // namespace bdcsync::gateway
