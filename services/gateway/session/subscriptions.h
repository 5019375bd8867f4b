// What follows spaces on behalf of the sessions of one loop: state, catch-up and live changes,
// rendered once and shared by sessions with the same subscription id, filter and payload. All
// calls, in both directions, on the loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/gateway/session/caller.h"
#include "services/gateway/session/frame.h"

namespace bdcsync::gateway {

enum class SubscriptionMode { kChanges, kLatest };
enum class SubscriptionPayload { kData, kPatch, kNone };

// An empty list matches everything, but `branches`: empty means main only.
struct SubscriptionFilter {
  std::vector<std::string> entity_types;
  std::vector<std::string> entity_ids;
  std::vector<std::string> categories;
  std::vector<std::string> branches;
};

struct SubscriptionSpec {
  std::string space;   // Never empty here.
  std::string cursor;  // Empty: begin with the current state.
  SubscriptionMode mode = SubscriptionMode::kChanges;
  SubscriptionFilter filter;
  SubscriptionPayload payload = SubscriptionPayload::kData;
};

struct Subscribed {
  std::string cursor;  // Where this subscription stands before its first message.
  std::string head;    // Where the space stands now.
};

// A session, as the feed sees it.
class SubscriptionSink {
 public:
  virtual ~SubscriptionSink() = default;
  // A frame with changes or conflicts, of this subscription.
  virtual void SendFrame(absl::string_view subscription_id, SharedFrame frame) = 0;
  // Waiting to leave. The feed sends a sink nothing more while this is above its limit, falls back
  // to catch-up from the sink's position, and goes on at SinkDrained.
  virtual size_t queued_bytes() const = 0;
  // The cursor was of another epoch: the client starts again from state, not before `after`. The
  // subscription has ended.
  virtual void OnResync(absl::string_view subscription_id, absl::string_view reason,
                        absl::Duration after) = 0;
  // The subscription has ended by itself, e.g. forbidden or unavailable for good.
  virtual void OnEnded(absl::string_view subscription_id, const absl::Status& why) = 0;
};

class Subscriptions {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Subscribed>)>;
  using EpochDone = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  virtual ~Subscriptions() = default;
  // Begins a subscription. `subscription_id` is unique within the sink only. `done` runs once, on
  // the loop's thread, before the first frame, and not after Unsubscribe or RemoveSink.
  //   FORBIDDEN (reason) the caller may not read the space; INVALID_ARGUMENT the cursor is none.
  virtual void Subscribe(std::shared_ptr<const Caller> caller, std::string subscription_id,
                         SubscriptionSpec spec, SubscriptionSink* sink, Done done) = 0;
  // Each does nothing for an id that is not there. Nothing is sent while paused; Resume goes on by
  // catch-up from where it stopped.
  virtual void Unsubscribe(SubscriptionSink* sink, absl::string_view subscription_id) = 0;
  virtual void Pause(SubscriptionSink* sink, absl::string_view subscription_id) = 0;
  virtual void Resume(SubscriptionSink* sink, absl::string_view subscription_id) = 0;
  // The sink's queue has room again.
  virtual void SinkDrained(SubscriptionSink* sink) = 0;
  // Ends all subscriptions of the sink, which is not used again.
  virtual void RemoveSink(SubscriptionSink* sink) = 0;
  // The epoch of the space's log as clients see it, from memory where it is known. `done` runs
  // once, on the loop's thread, also within the call.
  virtual void GetEpoch(std::string space, EpochDone done) = 0;
};

}  // namespace bdcsync::gateway
