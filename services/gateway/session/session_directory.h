// The sessions of this process by id and by device: a device has one session, the newest; outcomes
// that come late find their session. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/gateway/session/operations.h"

namespace bdcsync::gateway {

class Loop;

// What the directory may ask of a session. Called on the session's loop.
class DirectedSession {
 public:
  virtual ~DirectedSession() = default;
  // A newer session of the same device has begun.
  virtual void OnSuperseded() = 0;
  // A queued operation of this session has its outcome.
  virtual void OnOutcome(const sync::v1::OperationResult& result) = 0;
};

class SessionDirectory final : public OutcomeListener {
 public:
  // `session` lives on `loop`; an older session of the same user and device is told. False, and
  // nothing happens, when the user has `sessions_per_user_max` sessions of other devices.
  [[nodiscard]] bool Add(const Caller& caller, Loop& loop, std::weak_ptr<DirectedSession> session,
                         size_t sessions_per_user_max);
  // True when this was the newest session of its device.
  bool Remove(const Caller& caller);
  size_t size() const;
  void OnOutcome(absl::string_view session_id, sync::v1::OperationResult result) override;

 private:
  struct Entry {
    Loop* loop;
    std::weak_ptr<DirectedSession> session;
  };
  using Device = std::pair<std::string, std::string>;  // User and device.

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Entry> sessions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Device, std::string> devices_ ABSL_GUARDED_BY(mutex_);  // To session ids.
  absl::flat_hash_map<std::string, size_t> users_ ABSL_GUARDED_BY(mutex_);    // To their devices.
};

}  // namespace bdcsync::gateway
