#include "services/gateway/feed/session_subscriptions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/ids.h"
#include "libs/entity/cursor.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_subscription.h"

namespace bdcsync::gateway {

class SessionSubscriptions::Follower final : public FeedSubscription {
 public:
  Follower(SessionSubscriptions& owner, std::string id, SubscriptionPayload payload,
           SubscriptionSink* sink, Done done)
      : owner_(owner), id_(std::move(id)), payload_(payload), sink_(sink), done_(std::move(done)) {}

  const std::string& id() const { return id_; }

  void OnStarted(absl::StatusOr<Subscribed> started) override {
    Done done = std::exchange(done_, nullptr);
    if (!started.ok()) owner_.Forget(sink_, id_);
    done(std::move(started));
  }
  bool HasRoom() const override { return sink_->queued_bytes() <= owner_.queued_bytes_max_; }
  void OnBatch(const ChangeBatch& batch, bool caught_up) override {
    batch.ForEachFrame(id_, payload_, caught_up,
                       [this](const SharedFrame& frame) { sink_->SendFrame(id_, frame); });
  }
  void OnResync(absl::string_view reason, absl::Duration after) override {
    owner_.Forget(sink_, id_);
    sink_->OnResync(id_, reason, after);
  }
  void OnEnded(const absl::Status& why) override {
    owner_.Forget(sink_, id_);
    sink_->OnEnded(id_, why);
  }

 private:
  SessionSubscriptions& owner_;
  const std::string id_;
  const SubscriptionPayload payload_;
  SubscriptionSink* const sink_;
  Done done_;  // Empty once it has run.
};

SessionSubscriptions::SessionSubscriptions(FeedEngine& engine, Loop& loop, size_t queued_bytes_max)
    : engine_(engine), loop_(loop), queued_bytes_max_(queued_bytes_max) {}

SessionSubscriptions::~SessionSubscriptions() {
  for (const auto& [sink, followers] : sinks_) {
    for (const auto& follower : followers) engine_.Remove(*follower);
  }
}

void SessionSubscriptions::Subscribe(std::shared_ptr<const Caller> caller,
                                     std::string subscription_id, SubscriptionSpec spec,
                                     SubscriptionSink* sink, Done done) {
  if (AccessTo(*caller, spec.space) == Access::kNone) {
    done(MakeErrorAt(Reason::kForbidden, "space", "this space may not be read"));
    return;
  }
  std::optional<entity::Cursor> cursor;
  if (!spec.cursor.empty()) {
    cursor = entity::DecodeCursor(spec.cursor);
    if (!cursor.has_value()) {
      done(MakeErrorAt(Reason::kInvalidArgument, "cursor", "this is not a cursor"));
      return;
    }
  }
  auto follower = std::make_unique<Follower>(*this, std::move(subscription_id), spec.payload, sink,
                                             std::move(done));
  Follower& borrowed = *follower;
  sinks_[sink].push_back(std::move(follower));
  engine_.Subscribe(spec, cursor, borrowed);
}

SessionSubscriptions::Follower* SessionSubscriptions::Find(SubscriptionSink* sink,
                                                           absl::string_view subscription_id) {
  const auto followers = sinks_.find(sink);
  if (followers == sinks_.end()) return nullptr;
  for (const auto& follower : followers->second) {
    if (follower->id() == subscription_id) return follower.get();
  }
  return nullptr;
}

void SessionSubscriptions::Forget(SubscriptionSink* sink, absl::string_view subscription_id) {
  const auto followers = sinks_.find(sink);
  if (followers == sinks_.end()) return;
  const auto found =
      std::find_if(followers->second.begin(), followers->second.end(),
                   [&](const auto& follower) { return follower->id() == subscription_id; });
  if (found == followers->second.end()) return;
  std::unique_ptr<Follower> follower = std::move(*found);
  followers->second.erase(found);
  if (followers->second.empty()) sinks_.erase(followers);
  Bury(std::move(follower));
}

void SessionSubscriptions::Bury(std::unique_ptr<Follower> follower) {
  engine_.Remove(*follower);
  loop_.Post([buried = std::move(follower)] {});
}

void SessionSubscriptions::Unsubscribe(SubscriptionSink* sink, absl::string_view subscription_id) {
  Forget(sink, subscription_id);
}

void SessionSubscriptions::Pause(SubscriptionSink* sink, absl::string_view subscription_id) {
  if (Follower* follower = Find(sink, subscription_id)) engine_.Pause(*follower);
}

void SessionSubscriptions::Resume(SubscriptionSink* sink, absl::string_view subscription_id) {
  if (Follower* follower = Find(sink, subscription_id)) engine_.Resume(*follower);
}

void SessionSubscriptions::SinkDrained(SubscriptionSink* sink) {
  const auto followers = sinks_.find(sink);
  if (followers == sinks_.end()) return;
  std::vector<std::string> ids;  // Sending may change the list.
  ids.reserve(followers->second.size());
  for (const auto& follower : followers->second) ids.push_back(follower->id());
  for (const std::string& id : ids) {
    if (Follower* follower = Find(sink, id)) engine_.Drained(*follower);
  }
}

void SessionSubscriptions::RemoveSink(SubscriptionSink* sink) {
  auto followers = sinks_.extract(sink);
  if (followers.empty()) return;
  for (auto& follower : followers.mapped()) Bury(std::move(follower));
}

void SessionSubscriptions::GetEpoch(std::string space, EpochDone done) {
  engine_.GetHead(space, [done = std::move(done)](absl::StatusOr<entity::Cursor> head) mutable {
    if (head.ok()) {
      done(Hex64(head->epoch));
    } else {
      done(head.status());
    }
  });
}

}  // namespace bdcsync::gateway
