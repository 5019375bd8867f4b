// What lives on one loop: the feed, and the sessions' side of it. Made and destroyed on the loop's
// thread.
#pragma once

#include "services/gateway/feed/bus_live_channel.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/session_subscriptions.h"
#include "services/gateway/session/session.h"

namespace bdcsync::gateway {

// What sessions of all loops share. Borrowed.
struct SharedServices {
  EventReader& reader;
  bus::Bus& bus;
  const Clock& clock;
  Random& random;
  TokenVerifier& tokens;
  OperationPipeline& operations;
  EntityReads& reads;
  ConflictDesk& desk;
  Devices& devices;
  SessionDirectory& directory;
  FeedMetrics& feed_metrics;
  LiveMetrics& live_metrics;
  SessionMetrics& session_metrics;
  const log::Logger& logger;
};

class LoopServices {
 public:
  LoopServices(Loop& loop, const SharedServices& shared, const FeedLimits& feed,
               const LiveLimits& live, const SessionOptions& session)
      : engine_({loop, shared.reader, shared.bus, shared.clock, shared.random, shared.feed_metrics},
                feed),
        subscriptions_(engine_, loop, feed.sink_queued_bytes_max),
        live_(loop, shared.bus, shared.clock, shared.random, shared.live_metrics, live),
        services_{loop,
                  shared.clock,
                  shared.random,
                  shared.tokens,
                  shared.operations,
                  shared.reads,
                  shared.desk,
                  subscriptions_,
                  live_,
                  shared.devices,
                  shared.directory,
                  shared.session_metrics,
                  shared.logger,
                  session} {
    engine_.WatchEvents([this](const std::string& space, absl::Span<const FeedEventPtr> events) {
      live_.OnEvents(space, events);
    });
    live_.SetRecent([this](absl::string_view space) { return engine_.Recent(space); });
  }

  FeedEngine& engine() { return engine_; }
  // For open sessions too, as far as an option is looked at later. On the loop.
  void SetSessionOptions(const SessionOptions& options) { services_.options = options; }
  // For every new connection of the loop.
  HandlerFactory handler_factory() {
    return [this](Connection& connection) { return MakeSession(services_, connection); };
  }

 private:
  FeedEngine engine_;
  SessionSubscriptions subscriptions_;
  BusLiveChannel live_;
  SessionServices services_;
};

}  // namespace bdcsync::gateway
