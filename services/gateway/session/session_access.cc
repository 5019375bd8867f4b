// Access that ends while the session lives: spaces that a new token does not allow, and the device.
// A change of access is a difference, not a new beginning: what stays allowed goes on untouched.
#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/session/metrics.h"

namespace bdcsync::gateway {
namespace {

// A revoked device has so long to confirm that it has purged, before its connection is closed.
constexpr absl::Duration kPurgeWaitMax = absl::Seconds(2);
// Spaces that a client is asked to purge and whose receipt is awaited; those beyond are asked too.
constexpr size_t kPurgesAwaitedMax = 1000;

}  // namespace

absl::Status ClientSession::CheckAccess(absl::string_view space) const {
  if (state_ == State::kRevoked) return MakeError(Reason::kForbidden, kDeviceRevoked);
  if (AccessTo(*caller_, space) != Access::kNone) return absl::OkStatus();
  return MakeErrorAt(Reason::kForbidden, "/space", "access to this space has ended");
}

void ClientSession::LoseSpaces(const Caller& before) {
  std::set<std::string> lost;
  const auto consider = [&](const std::string& space) {
    if (AccessTo(*caller_, space) == Access::kNone) lost.insert(space);
  };
  for (const auto& [space, access] : before.spaces) consider(space);
  for (const Subscription& subscription : subscriptions_) consider(subscription.space);
  for (const std::string& space : presences_) consider(space);
  for (const std::string& space : lost) LoseSpace(space);
}

void ClientSession::LoseSpace(const std::string& space) {
  const std::vector<Subscription> subscriptions = subscriptions_;
  for (const Subscription& subscription : subscriptions) {
    if (subscription.space != space) continue;
    if (!subscription.open) {  // It still gets its answer, a refusal, also if access comes back.
      FindSubscription(subscription.id)->refused = CheckAccess(space);
      continue;
    }
    services_.subscriptions.Unsubscribe(this, subscription.id);
    ForgetSubscription(subscription.id);
    for (auto& [ticket, unsent] : unsent_subscribed_) {
      if (unsent.subscription_id == subscription.id) unsent.refused = CheckAccess(space);
    }
  }
  DropHeldFrames(space);
  absl::erase_if(held_presences_, [&](const auto& held) {
    return absl::StartsWith(held.first, absl::StrCat(space, "\n"));
  });
  const auto present = std::find(presences_.begin(), presences_.end(), space);
  if (present != presences_.end()) {
    presences_.erase(present);
    LeaveUnlessThere(space);
    services_.live.PublishPresence(*caller_, space, "null");
  }
  AskPurge(space);
}

void ClientSession::AskPurge(const std::string& space) {
  services_.metrics.space_purges_asked.Add();
  const bool awaited =
      std::find(purges_asked_.begin(), purges_asked_.end(), space) != purges_asked_.end();
  if (!awaited && purges_asked_.size() < kPurgesAwaitedMax) purges_asked_.push_back(space);
  Push(RevokedMessage(space));
}

// What the registry knows the device to have, and this token does not allow: access ended while the
// device was away.
void ClientSession::AskPurgesOfDevice() {
  for (const std::string& space : std::exchange(spaces_on_device_, {})) {
    if (AccessTo(*caller_, space) == Access::kNone) AskPurge(space);
  }
}

void ClientSession::OnDeviceRevoked() {
  if (state_ == State::kRevoked || state_ == State::kClosed) return;
  services_.metrics.sessions_revoked.Add();
  services_.metrics.device_purges_asked.Add();
  services_.logger.Info("a revoked device is told to purge",
                        {{"user_id", caller_->user_id}, {"device_id", caller_->device_id}});
  const absl::Status why = MakeError(Reason::kForbidden, kDeviceRevoked);
  Push(RevokedMessage(""));
  if (state_ == State::kAuthenticating) {
    services_.metrics.authentication_refused.Add();
    services_.metrics.CountError(Reason::kForbidden);
    services_.metrics.CountRequest(MessageType::kAuthenticate,
                                   services_.clock.Monotonic() - authentication_->began);
    Push(FailureMessage(MessageType::kAuthenticate, authentication_->id, why));
    authentication_.reset();
  }
  early_.clear();
  LeaveEverything();
  for (TimerId* timer : {&timer_, &device_timer_, &drain_timer_}) {
    services_.loop.Cancel(std::exchange(*timer, kNoTimer));
  }
  state_ = State::kRevoked;
  timer_ = services_.loop.RunAfter(kPurgeWaitMax, [this] {
    timer_ = kNoTimer;
    Close(kCloseForbidden, kDeviceRevoked);
  });
  UpdateReading();
}

void ClientSession::Purged(const ClientMessage& message, const PurgedRequest& request) {
  const auto asked = std::find(purges_asked_.begin(), purges_asked_.end(), request.space);
  if (request.device ? state_ != State::kRevoked : asked == purges_asked_.end()) {
    Fail(Open(message), MakeError(Reason::kPreconditionFailed, "nobody has asked for this purge"));
    return;
  }
  services_.logger.Info(
      "a device has purged",
      {{"user_id", caller_->user_id}, {"device_id", caller_->device_id}, {"space", request.space}});
  services_.devices.Purged(*caller_, request.space);  // No answer.
  if (request.device) {
    services_.metrics.device_purges_confirmed.Add();
    Close(kCloseForbidden, kDeviceRevoked);
  } else {
    services_.metrics.space_purges_confirmed.Add();
    purges_asked_.erase(asked);
  }
}

}  // namespace bdcsync::gateway
