// Gathers what sessions say of their devices and tells device-sync in batches: registrations at
// once, the rest on a timer. Of several signs of life or positions of one device, the last one
// counts. What finds no room or no server is dropped: it will be said again; but receipts, which
// are sent until they are stored. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"
#include "services/gateway/pipeline/device_client.h"
#include "services/gateway/pipeline/device_registrar.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

struct DeviceReportLimits {
  absl::Duration interval = absl::Milliseconds(500);  // Between batches.
  size_t batch_items_max = 4096;
  size_t waiting_max = 200'000;  // Signs of life, and positions.
  RegistrationLimits registrations;
};

class DeviceReporter final : public Devices {
 public:
  // Told of devices that turn out to be revoked, on any thread.
  using OnRevoked = std::function<void(const device_sync::v1::DeviceName&)>;

  // Borrowed; `loop` carries the timer.
  DeviceReporter(DeviceClient& client, Loop& loop, Random& random, log::Logger& logger,
                 metrics::Registry& registry, DeviceReportLimits limits, OnRevoked on_revoked);
  // No call may be in flight and the loop must have stopped, or run this.
  ~DeviceReporter() override;

  // Begins to send.
  void Start();
  // Sends what waits now.
  void Flush();
  // Registrations that wait for a call.
  size_t registrations_waiting() const { return registrar_.waiting(); }

  void Register(const Caller& caller, device_sync::v1::DeviceState state,
                RegisterDone done) override;
  void Purged(const Caller& caller, absl::string_view space) override;
  void Heartbeat(const Caller& caller, std::optional<device_sync::v1::DeviceState> state,
                 bool offline) override;
  absl::Status AckCursor(const Caller& caller, absl::string_view space,
                         absl::string_view cursor) override;

 private:
  using Device = std::pair<std::string, std::string>;  // User and device.
  using Place = std::pair<Device, std::string>;        // And space.

  // Where the device has acknowledged a position that the registry may not know yet.
  std::vector<std::string> UnstoredSpaces(const Device& device);
  void Tick();
  void FlushPurges();

  DeviceClient& client_;
  Loop& loop_;
  const DeviceReportLimits limits_;
  const OnRevoked on_revoked_;
  metrics::Counter& dropped_;
  metrics::Counter& failures_;
  DeviceRegistrar registrar_;
  const std::shared_ptr<bool> alive_;  // Shared with what is posted.
  absl::Mutex mutex_;
  absl::flat_hash_map<Device, device_sync::v1::HeartbeatItem> heartbeats_ ABSL_GUARDED_BY(mutex_);
  // In order, so that those of a device lie together.
  absl::btree_map<Place, device_sync::v1::CursorAck> acks_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<Place> acks_in_flight_ ABSL_GUARDED_BY(mutex_);
  bool heartbeat_in_flight_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<Place, device_sync::v1::PurgeItem> purges_ ABSL_GUARDED_BY(mutex_);
  bool purge_in_flight_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync::gateway
