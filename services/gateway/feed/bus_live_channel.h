// Presence and broadcasts of one loop over the bus. Who joins a space that nobody here was in asks
// the others for their states; every loop repeats the states of its own sessions now and then, and
// states that are no longer repeated end (their gateway is gone). All calls, in both directions, on
// the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"
#include "libs/metrics/registry.h"
#include "services/gateway/feed/live_limits.h"
#include "services/gateway/feed/selection.h"
#include "services/gateway/session/live.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class LiveMetrics {
 public:
  explicit LiveMetrics(metrics::Registry& registry);

  metrics::Gauge& presences;
  metrics::Counter& broadcasts;
  metrics::Counter& presences_refused;  // A space had too many.
  metrics::Counter& ready_unconfirmed;  // Who joined was not kept waiting for the bus any longer.
};

class BusLiveChannel final : public LiveChannel {
 public:
  // Everything is borrowed.
  BusLiveChannel(Loop& loop, bus::Bus& bus, const Clock& clock, Random& random,
                 LiveMetrics& metrics, LiveLimits limits);
  ~BusLiveChannel() override;

  void Join(absl::string_view space, LiveSink* sink, LiveReady ready) override;
  void Leave(absl::string_view space, LiveSink* sink) override;
  void RemoveSink(LiveSink* sink) override;
  void PublishPresence(const Caller& caller, absl::string_view space,
                       absl::string_view state) override;
  void PublishBroadcast(const Caller& caller, absl::string_view space, absl::string_view topic,
                        absl::string_view payload) override;

  // Where the latest events of a space are; null when it is not followed here.
  using Recent = absl::AnyInvocable<const EventRing*(absl::string_view space)>;
  void SetRecent(Recent recent) { recent_ = std::move(recent); }
  // Events of a space, in order: selections move with the texts they are in.
  void OnEvents(const std::string& space, absl::Span<const FeedEventPtr> events);

 private:
  using Device = std::pair<std::string, std::string>;  // User and device.
  struct Presence {
    std::string session_id;
    uint64_t number = 0;  // Of the states of the session.
    std::string state;
    std::optional<Selection> selection;  // Moved on since `state` was told.
    absl::Duration heard;                // Monotonic.

    std::string StateNow() const { return selection ? selection->In(state) : state; }
  };
  struct OwnPresence {
    sync::v1::LiveMessage message;
    std::optional<Selection> selection;
  };
  struct Room {
    std::unique_ptr<bus::Subscription> subscription;
    std::vector<LiveSink*> sinks;
    absl::flat_hash_map<Device, Presence> presences;    // Of everybody.
    absl::flat_hash_map<std::string, OwnPresence> own;  // By session: to repeat.
    bool answer_waits = false;
    bool flows = false;              // The bus has let messages in.
    std::vector<LiveReady> waiting;  // For that.
    TimerId wait_end = kNoTimer;     // There while somebody waits.
  };

  Room& Enter(absl::string_view space);
  void CloseIfEmpty(absl::string_view space);
  void OnFlows(const std::string& space);
  void AwaitFlow(absl::string_view space, Room& room, LiveReady ready);
  void EndWaits(Room& room);
  void Publish(absl::string_view space, const sync::v1::LiveMessage& message);
  void OnMessage(const std::string& space, const sync::v1::LiveMessage& message);
  void OnPresence(const std::string& space, Room& room, const sync::v1::LiveMessage& message);
  void OnBroadcast(const std::string& space, Room& room, const sync::v1::LiveMessage& message);
  void AnswerSoon(const std::string& space, Room& room);
  void RepeatOwn(const std::string& space);
  void Tell(const std::string& space, Room& room, const Device& device, absl::string_view state);
  void Tick();
  // The selection of a state as it is after the latest events that are known here.
  std::optional<Selection> SelectionNow(absl::string_view space, absl::string_view state,
                                        const Device& device);

  Loop& loop_;
  bus::Bus& bus_;
  const Clock& clock_;
  Random& random_;
  LiveMetrics& metrics_;
  const LiveLimits limits_;
  const std::shared_ptr<bool> alive_;  // Shared with what is posted.
  absl::flat_hash_map<std::string, std::unique_ptr<Room>> rooms_;
  absl::flat_hash_map<LiveSink*, std::vector<std::string>> joined_;
  Recent recent_;
  uint64_t states_told_ = 0;
  TimerId tick_ = kNoTimer;
};

}  // namespace bdcsync::gateway
