// Presence and broadcasts: told to those who are in a space now, on every gateway, never stored.
// Sessions of one loop share a channel; all calls, in both directions, on the loop's thread.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

// A session, as the channel sees it. The frames are complete `presence` and `broadcast` messages
// (protocol/server_message.h builds them), built once per loop.
class LiveSink {
 public:
  virtual ~LiveSink() = default;
  virtual absl::string_view session_id() const = 0;
  // `key` is space, user and device, a line each: of two frames with one key, only the later one
  // matters.
  virtual void OnPresence(absl::string_view key, SharedFrame frame) = 0;
  virtual void OnBroadcast(absl::string_view space, SharedFrame frame) = 0;
};

using LiveReady = absl::AnyInvocable<void()>;

class LiveChannel {
 public:
  virtual ~LiveChannel() = default;
  // From now on the sink is told what happens in `space`, beginning with the presence states that
  // hold now. Joining twice is joining once. `ready`, which may be null, runs once: when whatever
  // is said in the space from then on, at any gateway, reaches the sink (this may be now); when the
  // bus has not made it so in LiveLimits::ready_wait_max, or is known to be away; or when everybody
  // here has left the space.
  virtual void Join(absl::string_view space, LiveSink* sink, LiveReady ready) = 0;
  virtual void Leave(absl::string_view space, LiveSink* sink) = 0;
  // Leaves every space; the sink is not used again.
  virtual void RemoveSink(LiveSink* sink) = 0;
  // Tells everybody in the space, the caller's own session included. `state` is JSON text; "null"
  // ends the presence. The session ends the presences it began before it goes.
  virtual void PublishPresence(const Caller& caller, absl::string_view space,
                               absl::string_view state) = 0;
  // Tells everybody in the space but the caller's own session. `payload` is JSON text.
  virtual void PublishBroadcast(const Caller& caller, absl::string_view space,
                                absl::string_view topic, absl::string_view payload) = 0;
};

}  // namespace bdcsync::gateway
