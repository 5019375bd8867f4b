// What sessions tell the device service: who is here, in what state, how far each device has
// durably come, and what it has purged. All of it is gathered and sent in batches, and all but
// receipts may be lost when that service is down. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

// What the registry says of a device that registers.
struct Registration {
  bool revoked = false;             // It must not be let in; the rest is unset.
  int64_t session_number = 0;       // Of two sessions of a device the one with the higher is newer.
  std::vector<std::string> spaces;  // Those that the device has data of.
};

class Devices {
 public:
  using RegisterDone = absl::AnyInvocable<void(absl::StatusOr<Registration>)>;

  virtual ~Devices() = default;
  // Registers the caller's device. `done` runs once, on any thread, also within the call.
  //   UNAVAILABLE  the registry does not answer, or too many wait for it: go on without.
  virtual void Register(const Caller& caller, device_sync::v1::DeviceState state,
                        RegisterDone done) = 0;
  // The device has purged `space`; empty: everything. Sent until it is stored.
  virtual void Purged(const Caller& caller, absl::string_view space) = 0;
  // A sign of life; `state` when the device said something new of itself; `offline` when its
  // session has ended.
  virtual void Heartbeat(const Caller& caller, std::optional<device_sync::v1::DeviceState> state,
                         bool offline) = 0;
  // Everything up to `cursor` of `space` is durable on the device. INVALID_ARGUMENT when `cursor`
  // is none; whether it is stored is not told.
  virtual absl::Status AckCursor(const Caller& caller, absl::string_view space,
                                 absl::string_view cursor) = 0;
};

}  // namespace bdcsync::gateway
