// Subscriptions: subscribe, pause, resume, unsubscribe, ack, and the frames that they bring.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/session/client_session.h"
#include "services/gateway/session/devices.h"
#include "services/gateway/session/metrics.h"

namespace bdcsync::gateway {
namespace {

// Of the filters of a session's subscriptions together, which are kept as long as these: more than
// the largest that one message can have.
constexpr size_t kFilterBytesMax = 1 << 20;

size_t BytesOf(const SubscriptionFilter& filter) {
  size_t bytes = 0;
  for (const std::vector<std::string>* names :
       {&filter.entity_types, &filter.entity_ids, &filter.categories, &filter.branches}) {
    for (const std::string& name : *names) bytes += sizeof(name) + name.size();
  }
  return bytes;
}

}  // namespace

ClientSession::Subscription* ClientSession::FindSubscription(absl::string_view id) {
  const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                  [&](const Subscription& one) { return one.id == id; });
  return found == subscriptions_.end() ? nullptr : &*found;
}

void ClientSession::ForgetSubscription(absl::string_view id) {
  Subscription* subscription = FindSubscription(id);
  if (subscription == nullptr) return;
  const std::string space = subscription->space;
  subscriptions_.erase(subscriptions_.begin() + (subscription - subscriptions_.data()));
  services_.metrics.subscriptions.Add(-1);
  LeaveUnlessThere(space);
}

void ClientSession::Subscribe(const ClientMessage& message, SubscribeRequest& request) {
  const Pending pending = Open(message);
  if (subscriptions_.size() >= services_.options.subscriptions_max) {
    Fail(pending, MakeError(Reason::kQuotaExceeded, "too many subscriptions in this session"));
    return;
  }
  const size_t filter_bytes = BytesOf(request.spec.filter);
  size_t filters_bytes = filter_bytes;
  for (const Subscription& one : subscriptions_) filters_bytes += one.filter_bytes;
  if (filters_bytes > kFilterBytesMax) {
    Fail(pending, MakeErrorAt(Reason::kQuotaExceeded, "/filter",
                              "the filters of this session's subscriptions are too long together"));
    return;
  }
  OwnSpaceIfEmpty(request.spec.space);
  // Numbered within the session, so that sessions that ask for the same share frames.
  const std::string id = absl::StrCat("s", ++subscriptions_made_);
  subscriptions_.push_back({id, request.spec.space, filter_bytes});
  services_.metrics.subscriptions.Add(1);
  services_.subscriptions.Subscribe(
      caller_, id, std::move(request.spec), this,
      [weak = weak_from_this(), pending, id](const absl::StatusOr<Subscribed>& result) {
        const auto self = weak.lock();
        if (self != nullptr && self->state_ != State::kClosed) {
          self->OnSubscribed(pending, id, result);
        }
      });
}

void ClientSession::OnSubscribed(const Pending& pending, const std::string& subscription_id,
                                 const absl::StatusOr<Subscribed>& result) {
  Subscription* subscription = FindSubscription(subscription_id);
  if (!result.ok() || subscription == nullptr) {
    ForgetSubscription(subscription_id);
    Fail(pending, result.ok() ? MakeError(Reason::kForbidden, "access ended") : result.status());
    return;
  }
  if (const absl::Status refused = subscription->refused; !refused.ok()) {
    services_.subscriptions.Unsubscribe(this, subscription_id);
    ForgetSubscription(subscription_id);
    Fail(pending, refused);
    return;
  }
  subscription->open = true;
  // What follows waits for the answer, and the answer for presence and broadcasts to flow: whoever
  // has it hears what is said from then on.
  unsent_subscribed_[pending.ticket] = {subscription_id, pending.id};
  const std::string space = subscription->space;
  services_.live.Join(space, this,
                      [weak = weak_from_this(), pending,
                       answer = SubscribedMessage(pending.id, subscription_id, *result)]() mutable {
                        const auto self = weak.lock();
                        if (self != nullptr && self->state_ != State::kClosed) {
                          self->Answer(pending, std::move(answer));
                        }
                      });
}

void ClientSession::ChangeSubscription(const ClientMessage& message,
                                       const SubscriptionRequest& request) {
  const Pending pending = Open(message);
  const std::string& id = request.subscription_id;
  const Subscription* subscription = FindSubscription(id);
  if (subscription == nullptr || !subscription->open) {
    Fail(pending, MakeErrorAt(Reason::kNotFound, "/subscription_id", "no such subscription"));
    return;
  }
  switch (message.type) {
    case MessageType::kPause:
      services_.subscriptions.Pause(this, id);
      Answer(pending, SubscriptionMessage("paused", pending.id, id));
      return;
    case MessageType::kResume:
      Answer(pending, SubscriptionMessage("resumed", pending.id, id));
      services_.subscriptions.Resume(this, id);
      return;
    default:
      services_.subscriptions.Unsubscribe(this, id);
      ForgetSubscription(id);
      Answer(pending, SubscriptionMessage("unsubscribed", pending.id, id));
  }
}

void ClientSession::Ack(const ClientMessage& message, AckRequest& request) {
  OwnSpaceIfEmpty(request.space);
  absl::Status status =
      AccessTo(*caller_, request.space) == Access::kNone
          ? MakeErrorAt(Reason::kForbidden, "/space", "the token does not allow this space")
          : services_.devices.AckCursor(*caller_, request.space, request.cursor);
  if (status.ok()) return;  // No answer.
  if (PathOf(status).empty()) {
    status = MakeErrorAt(ReasonOf(status), "/cursor", status.message());
  }
  Fail(Open(message), status);
}

size_t ClientSession::queued_bytes() const {
  return held_bytes_ + (connection_ == nullptr ? 0 : connection_->queued_bytes());
}

void ClientSession::SendSubscribed(const UnsentSubscribed& unsent, const std::string& text) {
  if (unsent.refused.ok()) {
    Push(text);
    return;
  }
  services_.metrics.CountError(ReasonOf(unsent.refused));
  Push(FailureMessage(MessageType::kSubscribe, unsent.message_id, unsent.refused));
}

void ClientSession::SendFrame(absl::string_view subscription_id, SharedFrame frame) {
  const Subscription* const subscription =
      unsent_subscribed_.empty() ? nullptr : FindSubscription(subscription_id);
  SendOrHold(subscription == nullptr ? absl::string_view() : subscription->space, std::move(frame));
}

void ClientSession::SendOrHold(absl::string_view space, SharedFrame frame) {
  if (connection_ == nullptr) return;
  if (unsent_subscribed_.empty()) {
    connection_->Send(std::move(frame));
    return;
  }
  held_bytes_ += frame->size();
  held_frames_.push_back({std::string(space), std::move(frame)});
}

void ClientSession::DropHeldFrames(absl::string_view space) {
  std::erase_if(held_frames_, [&](const HeldFrame& held) {
    if (held.space != space) return false;
    held_bytes_ -= held.frame->size();
    return true;
  });
}

void ClientSession::ReleaseFrames() {
  if (!unsent_subscribed_.empty() || connection_ == nullptr) return;
  const std::vector<HeldFrame> frames = std::exchange(held_frames_, {});
  for (const HeldFrame& held : frames) connection_->Send(held.frame);
  held_bytes_ = 0;
  ReleasePresences();
  if (!frames.empty()) services_.subscriptions.SinkDrained(this);
}

void ClientSession::OnResync(absl::string_view subscription_id, absl::string_view reason,
                             absl::Duration after) {
  SendFrame(subscription_id, MakeTextFrame(ResyncMessage(subscription_id, reason, after)));
  ForgetSubscription(subscription_id);
}

void ClientSession::OnEnded(absl::string_view subscription_id, const absl::Status& why) {
  services_.metrics.CountError(ReasonOf(why));
  SendFrame(subscription_id, MakeTextFrame(SubscriptionEndedMessage(subscription_id, why)));
  ForgetSubscription(subscription_id);
}

}  // namespace bdcsync::gateway
