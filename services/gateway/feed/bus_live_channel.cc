#include "services/gateway/feed/bus_live_channel.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/gateway/protocol/live_message.h"

namespace bdcsync::gateway {
namespace {

constexpr metrics::MetricInfo kPresences{"bdcsync_gateway_live_presences",
                                         "Presence states known for the spaces of sessions here."};
constexpr metrics::MetricInfo kBroadcasts{"bdcsync_gateway_live_broadcasts_total",
                                          "Broadcasts brought by the bus."};
constexpr metrics::MetricInfo kRefused{"bdcsync_gateway_live_presences_refused_total",
                                       "Presence states dropped because a space has too many."};
constexpr metrics::MetricInfo kReadyUnconfirmed{
    "bdcsync_gateway_live_ready_unconfirmed_total",
    "Subscriptions answered before the bus had let presence and broadcasts in."};
constexpr absl::string_view kNoState = "null";

std::string ChannelOf(absl::string_view space) { return absl::StrCat("bdc:live:", space); }

}  // namespace

LiveMetrics::LiveMetrics(metrics::Registry& registry)
    : presences(registry.AddGauge(kPresences)),
      broadcasts(registry.AddCounter(kBroadcasts)),
      presences_refused(registry.AddCounter(kRefused)),
      ready_unconfirmed(registry.AddCounter(kReadyUnconfirmed)) {}

BusLiveChannel::BusLiveChannel(Loop& loop, bus::Bus& bus, const Clock& clock, Random& random,
                               LiveMetrics& metrics, LiveLimits limits)
    : loop_(loop),
      bus_(bus),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      limits_(limits),
      alive_(std::make_shared<bool>(true)) {
  tick_ = loop_.RunAfter(limits_.repeat_interval, [this] { Tick(); });
}

BusLiveChannel::~BusLiveChannel() {
  loop_.Cancel(tick_);
  for (const auto& [space, room] : rooms_) loop_.Cancel(room->wait_end);
}

BusLiveChannel::Room& BusLiveChannel::Enter(absl::string_view space) {
  std::unique_ptr<Room>& room = rooms_[space];
  if (room != nullptr) return *room;
  room = std::make_unique<Room>();
  const std::string name(space);
  room->subscription = bus_.Subscribe(
      ChannelOf(space),
      [this, name, &loop = loop_, alive = std::weak_ptr<bool>(alive_)](absl::string_view payload) {
        sync::v1::LiveMessage message;
        if (!message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
        loop.Post([this, alive, name, message = std::move(message)] {
          if (!alive.expired()) OnMessage(name, message);
        });
        return true;
      },
      [this, name, &loop = loop_, alive = std::weak_ptr<bool>(alive_)] {
        loop.Post([this, alive, name] {
          if (!alive.expired()) OnFlows(name);
        });
      });
  return *room;
}

// Messages flow from now on: asks for what was said before.
void BusLiveChannel::OnFlows(const std::string& space) {
  Publish(space, {});
  const auto room = rooms_.find(space);
  if (room == rooms_.end()) return;
  room->second->flows = true;
  EndWaits(*room->second);
}

void BusLiveChannel::AwaitFlow(absl::string_view space, Room& room, LiveReady ready) {
  if (room.flows) return ready();
  if (!bus_.Health().ok()) {
    metrics_.ready_unconfirmed.Add();
    return ready();
  }
  room.waiting.push_back(std::move(ready));
  if (room.wait_end != kNoTimer) return;
  room.wait_end = loop_.RunAfter(limits_.ready_wait_max, [this, name = std::string(space)] {
    Room& late = *rooms_.find(name)->second;  // A room that closes cancels this.
    metrics_.ready_unconfirmed.Add(static_cast<double>(late.waiting.size()));
    EndWaits(late);
  });
}

// Each in a turn of its own: it may leave the room.
void BusLiveChannel::EndWaits(Room& room) {
  loop_.Cancel(std::exchange(room.wait_end, kNoTimer));
  for (LiveReady& ready : std::exchange(room.waiting, {})) loop_.Post(std::move(ready));
}

void BusLiveChannel::CloseIfEmpty(absl::string_view space) {
  const auto room = rooms_.find(space);
  if (room == rooms_.end() || !room->second->sinks.empty() || !room->second->own.empty()) return;
  metrics_.presences.Add(-static_cast<double>(room->second->presences.size()));
  EndWaits(*room->second);
  rooms_.erase(room);
}

void BusLiveChannel::Join(absl::string_view space, LiveSink* sink, LiveReady ready) {
  Room& room = Enter(space);
  if (std::find(room.sinks.begin(), room.sinks.end(), sink) == room.sinks.end()) {
    room.sinks.push_back(sink);
    joined_[sink].emplace_back(space);
    for (const auto& [device, presence] : room.presences) {
      sink->OnPresence(
          absl::StrCat(space, "\n", device.first, "\n", device.second),
          MakeTextFrame(PresenceMessage(space, device.first, device.second, presence.StateNow())));
    }
  }
  if (ready) AwaitFlow(space, room, std::move(ready));
}

void BusLiveChannel::Leave(absl::string_view space, LiveSink* sink) {
  const auto joined = joined_.find(sink);
  if (joined == joined_.end()) return;
  const auto named = std::find(joined->second.begin(), joined->second.end(), space);
  if (named == joined->second.end()) return;
  joined->second.erase(named);
  if (joined->second.empty()) joined_.erase(joined);
  std::erase(rooms_.find(space)->second->sinks, sink);
  CloseIfEmpty(space);
}

void BusLiveChannel::RemoveSink(LiveSink* sink) {
  auto joined = joined_.extract(sink);
  if (joined.empty()) return;
  for (const std::string& space : joined.mapped()) {
    std::erase(rooms_.find(space)->second->sinks, sink);
    CloseIfEmpty(space);
  }
}

void BusLiveChannel::Publish(absl::string_view space, const sync::v1::LiveMessage& message) {
  bus_.Publish(ChannelOf(space), message.SerializeAsString());
}

void BusLiveChannel::PublishPresence(const Caller& caller, absl::string_view space,
                                     absl::string_view state) {
  sync::v1::LiveMessage message;
  message.set_session_id(caller.session_id);
  message.set_user_id(caller.user_id);
  message.set_device_id(caller.device_id);
  message.set_presence(std::string(state));
  message.set_number(++states_told_);
  Room& room = Enter(space);
  if (state == kNoState) {
    room.own.erase(caller.session_id);
  } else {
    room.own[caller.session_id] = {message,
                                   SelectionNow(space, state, {caller.user_id, caller.device_id})};
  }
  Publish(space, message);
  CloseIfEmpty(space);
}

void BusLiveChannel::PublishBroadcast(const Caller& caller, absl::string_view space,
                                      absl::string_view topic, absl::string_view payload) {
  sync::v1::LiveMessage message;
  message.set_session_id(caller.session_id);
  message.set_user_id(caller.user_id);
  message.set_device_id(caller.device_id);
  message.mutable_broadcast()->set_topic(std::string(topic));
  message.mutable_broadcast()->set_payload(std::string(payload));
  Publish(space, message);
}

void BusLiveChannel::OnMessage(const std::string& space, const sync::v1::LiveMessage& message) {
  const auto found = rooms_.find(space);
  if (found == rooms_.end()) return;
  Room& room = *found->second;
  switch (message.body_case()) {
    case sync::v1::LiveMessage::kPresence:
      return OnPresence(space, room, message);
    case sync::v1::LiveMessage::kBroadcast:
      return OnBroadcast(space, room, message);
    case sync::v1::LiveMessage::BODY_NOT_SET:
      return AnswerSoon(space, room);
  }
}

void BusLiveChannel::OnPresence(const std::string& space, Room& room,
                                const sync::v1::LiveMessage& message) {
  const Device device(message.user_id(), message.device_id());
  const auto known = room.presences.find(device);
  if (message.presence() == kNoState) {
    // A session that was followed by another one of the same device has nothing to end.
    if (known == room.presences.end() || known->second.session_id != message.session_id()) return;
    room.presences.erase(known);
    metrics_.presences.Add(-1);
    Tell(space, room, device, kNoState);
    return;
  }
  if (known == room.presences.end()) {
    if (room.presences.size() >= limits_.presences_per_space_max) {
      metrics_.presences_refused.Add();
      return;
    }
    metrics_.presences.Add(1);
  }
  Presence& presence = room.presences[device];
  const bool repeated = presence.session_id == message.session_id() &&
                        (presence.state == message.presence() ||
                         (message.number() != 0 && presence.number == message.number()));
  presence.heard = clock_.Monotonic();
  if (repeated) return;
  presence.session_id = message.session_id();
  presence.number = message.number();
  presence.state = message.presence();
  presence.selection = SelectionNow(space, presence.state, device);
  const bool moved = presence.selection && presence.selection->moved();
  Tell(space, room, device, moved ? presence.StateNow() : presence.state);
}

void BusLiveChannel::Tell(const std::string& space, Room& room, const Device& device,
                          absl::string_view state) {
  const std::string key = absl::StrCat(space, "\n", device.first, "\n", device.second);
  const SharedFrame frame =
      MakeTextFrame(PresenceMessage(space, device.first, device.second, state));
  const std::vector<LiveSink*> sinks = room.sinks;  // Telling may change the list.
  for (LiveSink* sink : sinks) {
    if (joined_.contains(sink)) sink->OnPresence(key, frame);
  }
}

void BusLiveChannel::OnBroadcast(const std::string& space, Room& room,
                                 const sync::v1::LiveMessage& message) {
  metrics_.broadcasts.Add();
  const SharedFrame frame = MakeTextFrame(BroadcastMessage(space, message.broadcast().topic(),
                                                           message.broadcast().payload(),
                                                           message.user_id(), message.device_id()));
  const std::vector<LiveSink*> sinks = room.sinks;
  for (LiveSink* sink : sinks) {
    if (joined_.contains(sink) && sink->session_id() != message.session_id()) {
      sink->OnBroadcast(space, frame);
    }
  }
}

// However many ask within the wait, they are answered once.
void BusLiveChannel::AnswerSoon(const std::string& space, Room& room) {
  if (room.own.empty() || room.answer_waits) return;
  room.answer_waits = true;
  loop_.RunAfter(limits_.answer_after_max * random_.Fraction(),
                 [this, space, alive = std::weak_ptr<bool>(alive_)] {
                   if (!alive.expired()) RepeatOwn(space);
                 });
}

void BusLiveChannel::RepeatOwn(const std::string& space) {
  const auto room = rooms_.find(space);
  if (room == rooms_.end()) return;
  room->second->answer_waits = false;
  for (auto& [session, own] : room->second->own) {
    if (own.selection && own.selection->moved()) {
      own.message.set_presence(own.selection->In(own.message.presence()));
    }
    Publish(space, own.message);
  }
}

std::optional<Selection> BusLiveChannel::SelectionNow(absl::string_view space,
                                                      absl::string_view state,
                                                      const Device& device) {
  std::optional<Selection> selection = Selection::Of(state);
  if (!selection.has_value()) return selection;
  const EventRing* const recent = recent_ ? recent_(space) : nullptr;
  if (recent != nullptr) selection->MoveOver(*recent, device.first, device.second);
  return selection;
}

void BusLiveChannel::OnEvents(const std::string& space, absl::Span<const FeedEventPtr> events) {
  const auto found = rooms_.find(space);
  if (found == rooms_.end()) return;
  for (const FeedEventPtr& event : events) {
    EventText text(*event);
    const auto move = [&](std::optional<Selection>& selection, absl::string_view user_id,
                          absl::string_view device_id) {
      if (!selection.has_value()) return;
      selection->MoveOver(text,
                          event->meta.user_id() == user_id && event->meta.device_id() == device_id);
    };
    for (auto& [device, presence] : found->second->presences) {
      move(presence.selection, device.first, device.second);
    }
    for (auto& [session, own] : found->second->own) {
      move(own.selection, own.message.user_id(), own.message.device_id());
    }
  }
}

void BusLiveChannel::Tick() {
  const absl::Duration now = clock_.Monotonic();
  std::vector<std::string> spaces;
  for (const auto& [space, room] : rooms_) spaces.push_back(space);
  for (const std::string& space : spaces) {
    RepeatOwn(space);
    const auto found = rooms_.find(space);
    if (found == rooms_.end()) continue;
    Room& room = *found->second;
    std::vector<Device> gone;
    for (const auto& [device, presence] : room.presences) {
      if (now - presence.heard >= limits_.expire_after) gone.push_back(device);
    }
    for (const Device& device : gone) {
      room.presences.erase(device);
      metrics_.presences.Add(-1);
      Tell(space, room, device, kNoState);
    }
  }
  tick_ = loop_.RunAfter(limits_.repeat_interval, [this] { Tick(); });
}

}  // namespace bdcsync::gateway
