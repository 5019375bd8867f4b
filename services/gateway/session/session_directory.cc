#include "services/gateway/session/session_directory.h"

#include <tuple>
#include <utility>

#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

using device_sync::v1::SessionStart;

bool IsNewer(const SessionStart& a, const SessionStart& b) {
  // Clocks of gateways differ, so the registry's numbers decide, where both have one.
  const bool numbered = a.session_number() > 0 && b.session_number() > 0;
  const auto rank = [numbered](const SessionStart& start) {
    return std::tuple(numbered ? start.session_number() : 0, numbered ? 0 : start.started_ms(),
                      absl::string_view(start.session_id()));
  };
  return rank(a) > rank(b);
}

void SessionDirectory::Tell(Entry entry, Told what) {
  if (entry.loop == nullptr) return;
  entry.loop->Post([session = std::move(entry.session), what] {
    if (const auto alive = session.lock()) ((*alive).*what)();
  });
}

bool SessionDirectory::Add(const std::shared_ptr<const Caller>& shared_caller, absl::Time started,
                           Loop& loop, std::weak_ptr<DirectedSession> session,
                           size_t sessions_per_user_max) {
  const Caller& caller = *shared_caller;
  Entry superseded;
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
    sessions_[caller.session_id] = {shared_caller, &loop, std::move(session), std::nullopt,
                                    absl::ToUnixMillis(started)};
  }
  Tell(std::move(superseded), &DirectedSession::OnSuperseded);
  if (listener_ != nullptr) listener_->OnAccess(shared_caller);
  return true;
}

void SessionDirectory::Refresh(const std::shared_ptr<const Caller>& caller) {
  {
    absl::MutexLock lock(&mutex_);
    const auto entry = sessions_.find(caller->session_id);
    if (entry != sessions_.end()) entry->second.caller = caller;
  }
  if (listener_ != nullptr) listener_->OnAccess(caller);
}

std::shared_ptr<const Caller> SessionDirectory::CallerOf(absl::string_view session_id) const {
  absl::MutexLock lock(&mutex_);
  const auto entry = sessions_.find(session_id);
  return entry == sessions_.end() ? nullptr : entry->second.caller;
}

SessionStart SessionDirectory::StartOf(const Device& device, const std::string& session_id) const {
  SessionStart start;
  start.set_user_id(device.first);
  start.set_device_id(device.second);
  start.set_session_id(session_id);
  const auto entry = sessions_.find(session_id);
  if (entry != sessions_.end()) {
    start.set_session_number(entry->second.number.value_or(0));
    start.set_started_ms(entry->second.started_ms);
  }
  return start;
}

void SessionDirectory::SetNumber(const Caller& caller, int64_t session_number) {
  SessionStart start;
  {
    absl::MutexLock lock(&mutex_);
    const auto entry = sessions_.find(caller.session_id);
    if (entry == sessions_.end()) return;
    entry->second.number = session_number;
    const Device device(caller.user_id, caller.device_id);
    const auto newest = devices_.find(device);
    if (newest == devices_.end() || newest->second != caller.session_id) return;
    start = StartOf(device, caller.session_id);
  }
  announce_(start);
}

void SessionDirectory::OnStarted(const SessionStart& start) {
  SessionStart here;
  Entry entry;
  {
    absl::MutexLock lock(&mutex_);
    const Device device(start.user_id(), start.device_id());
    const auto newest = devices_.find(device);
    if (newest == devices_.end() || newest->second == start.session_id()) return;
    entry = sessions_[newest->second];
    if (!entry.number.has_value()) return;
    here = StartOf(device, newest->second);
  }
  if (IsNewer(start, here)) {
    Tell(std::move(entry), &DirectedSession::OnSuperseded);
  } else {
    announce_(here);  // Its gateway has missed this one.
  }
}

void SessionDirectory::OnRevoked(const device_sync::v1::DeviceName& device) {
  if (listener_ != nullptr) listener_->OnRevoked(device);
  Entry entry;
  {
    absl::MutexLock lock(&mutex_);
    const auto newest = devices_.find(Device(device.user_id(), device.device_id()));
    if (newest == devices_.end()) return;
    entry = sessions_[newest->second];
  }
  Tell(std::move(entry), &DirectedSession::OnDeviceRevoked);
}

std::vector<SessionStart> SessionDirectory::Sessions() const {
  absl::MutexLock lock(&mutex_);
  std::vector<SessionStart> starts;
  for (const auto& [device, session_id] : devices_) {
    const auto entry = sessions_.find(session_id);
    if (entry == sessions_.end() || !entry->second.number.has_value()) continue;
    starts.push_back(StartOf(device, session_id));
  }
  return starts;
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
  Entry entry;
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
