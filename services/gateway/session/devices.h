// What sessions tell the device service: who is here, in what state, and how far each device has
// durably come. Everything is gathered and sent in batches, and may be lost when that service is
// down: a session never waits for it. Thread-safe.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class Devices {
 public:
  virtual ~Devices() = default;
  // Registers the caller's device. Whether that succeeds is not told.
  virtual void Register(const Caller& caller, device_sync::v1::DeviceState state) = 0;
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
