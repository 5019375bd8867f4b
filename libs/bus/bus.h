// Fan-out between processes: whoever subscribes to a channel gets what is published to it from then
// on. The bus is a hint, not the truth: it keeps the order of one publisher on one channel but may
// lose and repeat messages, and says so with `on_gap`; what must not be lost is read from the log.
// All methods are thread-safe and none waits for a peer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bdcsync::bus {

// Counters since the bus was opened, and two gauges. For metrics.
struct BusStats {
  uint64_t published = 0;         // Messages handed to the transport.
  uint64_t published_bytes = 0;   // Their payloads.
  uint64_t publish_dropped = 0;   // Messages dropped from the outgoing queue, oldest first.
  uint64_t publish_failed = 0;    // Messages that the transport refused.
  uint64_t publish_repeated = 0;  // Messages sent again as a fault left open whether they arrived.
  uint64_t writes = 0;            // Batches written to the transport.
  uint64_t delivered = 0;         // Calls of on_message.
  uint64_t delivered_bytes = 0;   // Their payloads.
  uint64_t unreadable = 0;        // Messages that a subscriber could not read.
  uint64_t gaps = 0;              // Calls of on_gap.
  uint64_t reconnects = 0;        // Connections made after the first of each node.
  uint64_t queued = 0;            // Now: messages waiting in the outgoing queue.
  uint64_t channels = 0;          // Now: channels with at least one subscriber.
};

// A wish for a channel's messages; destroying it ends the wish. When the destructor returns, no
// callback runs or will run. It waits for a running callback, unless it is called by that callback.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// False: the payload is nothing that this subscriber can read. It is passed over, and counted.
using MessageCallback = std::function<bool(absl::string_view payload)>;
using GapCallback = std::function<void()>;

class Bus {
 public:
  // Every Subscription must be destroyed before its bus.
  virtual ~Bus() = default;

  // Sends `payload` to everyone on `channel`, also to subscribers of this bus. Never blocks: the
  // message waits in a bounded queue, from which the oldest is dropped, and counted, when it is
  // full.
  virtual void Publish(absl::string_view channel, std::string payload) = 0;

  // Asks for the messages of `channel`. Callbacks run on a thread of the bus, one at a time for one
  // channel, and must return fast. `on_gap` says that messages may have been lost before this
  // point: it is the first call, when the subscription becomes active, and comes again after each
  // reconnect and overflow that the bus knows of. Many subscribers of a channel share one
  // subscription at the server.
  [[nodiscard]] virtual std::unique_ptr<Subscription> Subscribe(absl::string_view channel,
                                                                MessageCallback on_message,
                                                                GapCallback on_gap) = 0;

  // OK when messages flow in both directions; otherwise UNAVAILABLE with the reason. At once.
  virtual absl::Status Health() const = 0;

  virtual BusStats Stats() const = 0;
};

}  // namespace bdcsync::bus
