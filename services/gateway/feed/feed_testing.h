// What tests of the feed share: an engine on a world without services, and sinks that follow.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "services/gateway/feed/fake_feed_world.h"
#include "services/gateway/feed/fake_sink.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/session_subscriptions.h"

namespace bdcsync::gateway {

class FeedFixture : public ::testing::Test, protected FakeFeedWorld {
 protected:
  FeedFixture() { caller_.user_id = "ada"; }

  // In place of the one there is.
  void MakeEngine(FeedLimits limits = {}) {
    subscriptions_.reset();
    engine_.emplace(Dependencies(), limits);
    subscriptions_.emplace(*engine_, loop_, limits.sink_queued_bytes_max);
  }
  // A sink with a subscription `id` to "team", unless `spec` names another space.
  std::unique_ptr<FakeSink> Follow(SubscriptionSpec spec = {}, std::string id = "s") {
    if (!subscriptions_.has_value()) MakeEngine();
    auto sink = std::make_unique<FakeSink>();
    if (spec.space.empty()) spec.space = "team";
    subscriptions_->Subscribe(std::make_shared<const Caller>(caller_), std::move(id), spec,
                              sink.get(), [&sink = *sink](absl::StatusOr<Subscribed> subscribed) {
                                sink.subscribed = std::move(subscribed);
                              });
    return sink;
  }
  void Settle() { loop_.RunFor(absl::Milliseconds(100)); }

  std::optional<FeedEngine> engine_;
  std::optional<SessionSubscriptions> subscriptions_;
  Caller caller_;
};

}  // namespace bdcsync::gateway
