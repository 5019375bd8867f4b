#include "services/gateway/spool/known_access.h"

#include <algorithm>
#include <iterator>

#include "libs/base/errors.h"

namespace bdcsync::gateway {

void KnownAccess::Remember(bool operations_wait) {
  absl::MutexLock lock(&mutex_);
  if (operations_wait_ && !operations_wait) {
    latest_.clear();
    order_.clear();
  }
  operations_wait_ = operations_wait;
}

void KnownAccess::OnStored(const Caller& caller) {
  Remember(true);
  if (caller.session_id.empty()) return;
  if (const auto latest = sources_.caller_of_session(caller.session_id)) OnAccess(latest);
}

void KnownAccess::OnAccess(const std::shared_ptr<const Caller>& caller) {
  if (caller->device_id.empty()) return;
  absl::MutexLock lock(&mutex_);
  if (!operations_wait_) return;
  const Device device(caller->user_id, caller->device_id);
  const auto [entry, made] = latest_.try_emplace(device);
  entry->second.caller = caller;
  if (!made) {
    order_.splice(order_.end(), order_, entry->second.place);
    return;
  }
  order_.push_back(device);
  entry->second.place = std::prev(order_.end());
  if (order_.size() <= limits_.devices_max) return;
  latest_.erase(order_.front());
  order_.pop_front();
}

std::shared_ptr<const Caller> KnownAccess::LatestOf(const common::v1::Actor& actor) const {
  if (!actor.session_id().empty()) {
    if (auto caller = sources_.caller_of_session(actor.session_id())) return caller;
  }
  absl::MutexLock lock(&mutex_);
  const auto entry = latest_.find(Device(actor.user_id(), actor.device_id()));
  return entry == latest_.end() ? nullptr : entry->second.caller;
}

absl::Status KnownAccess::Check(const version::v1::CommitItem& operation, absl::Time token_expires,
                                bool vouched) const {
  const common::v1::Actor& actor = operation.actor();
  if (!actor.device_id().empty() && sources_.revoked(actor.user_id(), actor.device_id())) {
    return MakeError(Reason::kForbidden, "the device was revoked after the operation was stored");
  }
  const std::shared_ptr<const Caller> latest = LatestOf(actor);
  if (latest != nullptr) {
    if (AccessTo(*latest, operation.operation().entity().space()) != Access::kWrite) {
      return MakeErrorAt(Reason::kForbidden, "space",
                         "this space may not be written any more since the operation was stored");
    }
    token_expires = std::max(token_expires, latest->token_expires);
  }
  if (!vouched && clock_.Now() > token_expires + limits_.token_grace) {
    return MakeError(Reason::kTokenExpired,
                     "the token has expired since the operation was stored, and no newer one came");
  }
  return absl::OkStatus();
}

}  // namespace bdcsync::gateway
