// What sessions tell the device service: who is here, in what state, and how far each device has
// durably come. Everything is gathered and sent in batches, and may be lost when that service is
// down: a session never waits for it. Thread-safe.
#pragma once

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class Devices {
 public:
  virtual ~Devices() = default;
  // Registers the caller's device. `done` runs once, on any thread.
  //   PERMISSION_DENIED  the device belongs to another user: end the session.
  //   anything else      the session goes on.
  virtual void Register(std::shared_ptr<const Caller> caller, device_sync::v1::DeviceState state,
                        absl::AnyInvocable<void(absl::Status)> done) = 0;
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
