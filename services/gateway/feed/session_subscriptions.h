// The subscriptions of WebSocket sessions over the feed of their loop: access, cursors, and frames
// that sessions share. All calls, in both directions, on the loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "services/gateway/session/loop.h"
#include "services/gateway/session/subscriptions.h"

namespace bdcsync::gateway {

class FeedEngine;

class SessionSubscriptions final : public Subscriptions {
 public:
  // Both are borrowed. Sinks above `queued_bytes_max` get nothing until they have drained.
  SessionSubscriptions(FeedEngine& engine, Loop& loop, size_t queued_bytes_max);
  ~SessionSubscriptions() override;

  void Subscribe(std::shared_ptr<const Caller> caller, std::string subscription_id,
                 SubscriptionSpec spec, SubscriptionSink* sink, Done done) override;
  void Unsubscribe(SubscriptionSink* sink, absl::string_view subscription_id) override;
  void Pause(SubscriptionSink* sink, absl::string_view subscription_id) override;
  void Resume(SubscriptionSink* sink, absl::string_view subscription_id) override;
  void SinkDrained(SubscriptionSink* sink) override;
  void RemoveSink(SubscriptionSink* sink) override;
  void GetEpoch(std::string space, EpochDone done) override;

 private:
  class Follower;
  using Followers = std::vector<std::unique_ptr<Follower>>;

  Follower* Find(SubscriptionSink* sink, absl::string_view subscription_id);
  // Takes the follower out; it lives until the next turn of the loop.
  void Forget(SubscriptionSink* sink, absl::string_view subscription_id);
  void Bury(std::unique_ptr<Follower> follower);

  FeedEngine& engine_;
  Loop& loop_;
  const size_t queued_bytes_max_;
  absl::flat_hash_map<SubscriptionSink*, Followers> sinks_;
};

}  // namespace bdcsync::gateway
