// The sessions of this process by id and by device: a device has one session, the newest, here and
// among all gateways as far as they hear of each other; outcomes that come late find their session.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bdcsync/device_sync/v1/device_sync.pb.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/session/operations.h"

namespace bdcsync::gateway {

class Loop;

// What the directory may ask of a session. Called on the session's loop.
class DirectedSession {
 public:
  virtual ~DirectedSession() = default;
  // A newer session of the same device has begun.
  virtual void OnSuperseded() = 0;
  // The device was revoked.
  virtual void OnDeviceRevoked() = 0;
  // A queued operation of this session has its outcome.
  virtual void OnOutcome(const sync::v1::OperationResult& result) = 0;
};

// Who must know what becomes of access, beyond the session that it is of. Called on any thread.
class AccessListener {
 public:
  virtual ~AccessListener() = default;
  // This is what the latest token of a user's device allows.
  virtual void OnAccess(const std::shared_ptr<const Caller>& caller) = 0;
  virtual void OnRevoked(const device_sync::v1::DeviceName& device) = 0;
};

// Whether `a` is the newer of two sessions of one device, as every gateway decides it.
bool IsNewer(const device_sync::v1::SessionStart& a, const device_sync::v1::SessionStart& b);

class SessionDirectory final : public OutcomeListener {
 public:
  using Announce = std::function<void(const device_sync::v1::SessionStart&)>;

  // Tells the other gateways of a session; set before the first session.
  void AnnounceBy(Announce announce) { announce_ = std::move(announce); }
  // Told of every token and revocation besides the sessions themselves; borrowed, set before the
  // first of either.
  void ListenBy(AccessListener& listener) { listener_ = &listener; }
  // `session` lives on `loop` and has just started; an older session of the same user and device is
  // told. False, and nothing happens, when the user has `sessions_per_user_max` sessions of other
  // devices.
  [[nodiscard]] bool Add(const std::shared_ptr<const Caller>& caller, absl::Time started,
                         Loop& loop, std::weak_ptr<DirectedSession> session,
                         size_t sessions_per_user_max);
  // The session has a new token.
  void Refresh(const std::shared_ptr<const Caller>& caller);
  // As its latest token says; null when there is no such session.
  std::shared_ptr<const Caller> CallerOf(absl::string_view session_id) const;
  // The registry has given the session this number; 0: it could not be asked. The other gateways
  // are told.
  void SetNumber(const Caller& caller, int64_t session_number);
  // True when this was the newest session of its device.
  bool Remove(const Caller& caller);
  size_t size() const;
  void OnOutcome(absl::string_view session_id, sync::v1::OperationResult result) override;
  // A session has started at some gateway: the one here of the same device is told if it is older;
  // if it is newer, that gateway is told. One that has no number yet waits for it.
  void OnStarted(const device_sync::v1::SessionStart& start);
  // The session of this device, if there is one, is told that the device was revoked.
  void OnRevoked(const device_sync::v1::DeviceName& device);
  // Every device's newest session here, but those without a number yet.
  std::vector<device_sync::v1::SessionStart> Sessions() const;

 private:
  struct Entry {
    std::shared_ptr<const Caller> caller;
    Loop* loop = nullptr;
    std::weak_ptr<DirectedSession> session;
    std::optional<int64_t> number;  // Nothing until the registry was asked.
    int64_t started_ms = 0;
  };
  using Device = std::pair<std::string, std::string>;  // User and device.

  using Told = void (DirectedSession::*)();

  static void Tell(Entry entry, Told what);
  device_sync::v1::SessionStart StartOf(const Device& device, const std::string& session_id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  AccessListener* listener_ = nullptr;
  Announce announce_ = [](const device_sync::v1::SessionStart&) {};
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> sessions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Device, std::string> devices_ ABSL_GUARDED_BY(mutex_);  // To session ids.
  absl::flat_hash_map<std::string, size_t> users_ ABSL_GUARDED_BY(mutex_);    // To their devices.
};

}  // namespace bdcsync::gateway
