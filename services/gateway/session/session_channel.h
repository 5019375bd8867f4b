// The session directories of all gateways, told of each other over the bus: which sessions have
// started, and which devices were revoked. A hint: a session that is announced to nobody stays
// until its connection ends, a revoked one until its next sign of life. Thread-safe.
#pragma once

#include <memory>

#include "absl/strings/string_view.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "libs/bus/bus.h"
#include "services/gateway/session/session_directory.h"

namespace bdcsync::gateway {

class SessionChannel {
 public:
  // Both are borrowed. From now on the directory announces its sessions here and is told of others.
  SessionChannel(bus::Bus& bus, SessionDirectory& directory);

 private:
  bool OnMessage(absl::string_view payload);
  void OnGap();
  void Publish(const device_sync::v1::SessionNotice& notice);

  bus::Bus& bus_;
  SessionDirectory& directory_;
  std::unique_ptr<bus::Subscription> subscription_;  // Last: ended before the rest goes.
};

}  // namespace bdcsync::gateway
