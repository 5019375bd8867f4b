// Passes on what becomes of access, from sessions, gRPC calls and the bus, to those who must know
// beyond the session itself. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "services/gateway/pipeline/device_standing.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/spool/known_access.h"

namespace bdcsync::gateway {

class AccessNews final : public AccessListener {
 public:
  using OnRevocation = std::function<void(const device_sync::v1::DeviceName&)>;

  // Borrowed. From now on the directory tells its news here.
  AccessNews(SessionDirectory& directory, DeviceStanding& standing, KnownAccess& access,
             OnRevocation on_revocation)
      : standing_(standing), access_(access), on_revocation_(std::move(on_revocation)) {
    directory.ListenBy(*this);
  }

  void OnAccess(const std::shared_ptr<const Caller>& caller) override { access_.OnAccess(caller); }
  void OnRevoked(const device_sync::v1::DeviceName& device) override {
    standing_.OnRevoked(device);
    on_revocation_(device);
  }

 private:
  DeviceStanding& standing_;
  KnownAccess& access_;
  const OnRevocation on_revocation_;
};

}  // namespace bdcsync::gateway
