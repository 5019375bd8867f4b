#include "services/gateway/session/session_directory.h"

#include <utility>

#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

bool SessionDirectory::Add(const Caller& caller, Loop& loop, std::weak_ptr<DirectedSession> session,
                           size_t sessions_per_user_max) {
  Entry superseded = {nullptr, {}};
  {
    absl::MutexLock lock(&mutex_);
    std::string& newest = devices_[{caller.user_id, caller.device_id}];
    if (newest.empty()) {
      size_t& devices = users_[caller.user_id];
      if (devices >= sessions_per_user_max) {
        devices_.erase({caller.user_id, caller.device_id});
        return false;
      }
      ++devices;
    } else {
      superseded = sessions_[newest];
    }
    newest = caller.session_id;
    sessions_[caller.session_id] = {&loop, std::move(session)};
  }
  if (superseded.loop != nullptr) {
    superseded.loop->Post([old = std::move(superseded.session)] {
      if (const auto alive = old.lock()) alive->OnSuperseded();
    });
  }
  return true;
}

bool SessionDirectory::Remove(const Caller& caller) {
  absl::MutexLock lock(&mutex_);
  sessions_.erase(caller.session_id);
  const auto device = devices_.find({caller.user_id, caller.device_id});
  if (device == devices_.end() || device->second != caller.session_id) return false;
  devices_.erase(device);
  const auto user = users_.find(caller.user_id);
  if (--user->second == 0) users_.erase(user);
  return true;
}

size_t SessionDirectory::size() const {
  absl::MutexLock lock(&mutex_);
  return sessions_.size();
}

void SessionDirectory::OnOutcome(absl::string_view session_id, sync::v1::OperationResult result) {
  Entry entry = {nullptr, {}};
  {
    absl::MutexLock lock(&mutex_);
    const auto found = sessions_.find(session_id);
    if (found == sessions_.end()) return;
    entry = found->second;
  }
  entry.loop->Post([session = std::move(entry.session), result = std::move(result)] {
    if (const auto alive = session.lock()) alive->OnOutcome(result);
  });
}

}  // namespace bdcsync::gateway
