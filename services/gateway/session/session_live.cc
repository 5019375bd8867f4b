// Presence and broadcasts, in both directions.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/metrics.h"

namespace bdcsync::gateway {
namespace {

// Of a presence state or a broadcast's payload: they go to everybody at once.
constexpr size_t kLiveBytesMax = 16 << 10;
// Spaces that one session can be present in.
constexpr size_t kPresencesMax = 32;
// Presence states held back for a slow reader; one for each device that it would see.
constexpr size_t kHeldPresencesMax = 1000;

}  // namespace

absl::Status ClientSession::CheckLive(absl::string_view space, Access needed, size_t bytes) {
  if (AccessTo(*caller_, space) < needed) {
    return MakeErrorAt(Reason::kForbidden, "/space", "the token does not allow this space");
  }
  if (bytes > kLiveBytesMax) {
    return MakeError(Reason::kTooLarge, absl::StrCat("more than ", kLiveBytesMax, " bytes"));
  }
  if (!live_messages_.Take(services_.clock.Monotonic())) {
    return MakeRetryableError(Reason::kRateLimited, live_messages_.Wait(),
                              "too many presence and broadcast messages");
  }
  return absl::OkStatus();
}

void ClientSession::Presence(const ClientMessage& message, PresenceRequest& request) {
  const std::string& space = OwnSpaceIfEmpty(request.space);
  absl::Status status = CheckLive(space, Access::kRead, request.state.size());
  const auto present = std::find(presences_.begin(), presences_.end(), space);
  const bool ends = request.state == "null";
  if (status.ok() && !ends && present == presences_.end() && presences_.size() >= kPresencesMax) {
    status = MakeError(Reason::kQuotaExceeded, "present in too many spaces");
  }
  if (!status.ok()) {
    Fail(Open(message), status);
    return;
  }
  if (ends && present != presences_.end()) {
    presences_.erase(present);
    LeaveUnlessThere(space);
  }
  if (!ends && present == presences_.end()) {
    presences_.push_back(space);
    services_.live.Join(space, this, nullptr);  // Who is present is told of the others.
  }
  services_.live.PublishPresence(*caller_, space, request.state);  // No answer.
}

void ClientSession::Broadcast(const ClientMessage& message, BroadcastRequest& request) {
  const std::string& space = OwnSpaceIfEmpty(request.space);
  const Pending pending = Open(message);
  if (const absl::Status status = CheckLive(space, Access::kWrite, request.payload.size());
      !status.ok()) {
    Fail(pending, status);
    return;
  }
  services_.live.PublishBroadcast(*caller_, space, request.topic, request.payload);
  Answer(pending, BroadcastSentMessage(pending.id));
}

void ClientSession::LeaveUnlessThere(const std::string& space) {
  const bool present = std::find(presences_.begin(), presences_.end(), space) != presences_.end();
  // One that is not open joins when it opens.
  const bool subscribed =
      std::any_of(subscriptions_.begin(), subscriptions_.end(),
                  [&](const Subscription& one) { return one.open && one.space == space; });
  if (!present && !subscribed) services_.live.Leave(space, this);
}

void ClientSession::EndPresences() {
  for (const std::string& space : std::exchange(presences_, {})) {
    services_.live.PublishPresence(*caller_, space, "null");
  }
}

// Frames that wait for `subscribed` are not in the connection's queue, and count no less.
bool ClientSession::IsCrowded() const {
  return connection_->congested() || held_bytes_ > services_.options.held_answer_bytes_max;
}

void ClientSession::ReleasePresences() {
  if (connection_ == nullptr || IsCrowded()) return;
  for (auto& [key, frame] : std::exchange(held_presences_, {})) OnPresence(key, std::move(frame));
}

void ClientSession::OnPresence(absl::string_view key, SharedFrame frame) {
  if (connection_ == nullptr) return;
  if (!IsCrowded()) {
    held_presences_.erase(key);  // It is older, if there is one.
    SendOrHold(key.substr(0, key.find('\n')), std::move(frame));
    return;
  }
  // Of each device only the last state matters once the reader catches up.
  services_.metrics.presences_held.Add();
  const auto held = held_presences_.find(key);
  if (held != held_presences_.end()) {
    held->second = std::move(frame);
  } else if (held_presences_.size() < kHeldPresencesMax) {
    held_presences_.emplace(key, std::move(frame));
  }
}

void ClientSession::OnBroadcast(absl::string_view space, SharedFrame frame) {
  if (connection_ == nullptr) return;
  if (IsCrowded()) {
    services_.metrics.broadcasts_dropped.Add();
    return;
  }
  SendOrHold(space, std::move(frame));
}

}  // namespace bdcsync::gateway
