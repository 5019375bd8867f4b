// The incoming half of one Redis node: one connection and one thread for all channels. Subscribers
// come and go at any time; the thread brings the server in line with who is there. After a lost
// connection all channels are subscribed again and every subscriber is told of the gap.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/stop_signal.h"
#include "libs/bus/backoff.h"
#include "libs/bus/bus.h"
#include "libs/bus/open.h"
#include "libs/bus/redis_connection.h"
#include "libs/bus/redis_link.h"
#include "libs/bus/redis_url.h"
#include "libs/bus/subscribers.h"
#include "libs/bus/wake_event.h"

namespace bdcsync::bus {

class RedisSubscriber {
 public:
  RedisSubscriber(RedisAddress address, const BusOptions& options, Random& random);
  ~RedisSubscriber();

  std::unique_ptr<Subscription> Subscribe(absl::string_view channel, MessageCallback on_message,
                                          GapCallback on_gap);
  absl::Status Health() const { return state_.Get(); }
  void AddStats(BusStats& stats) const;

 private:
  class Handle;

  // What the server was asked for one channel. Only the thread sees it.
  struct Channel {
    bool subscribed = false;  // By the last command sent.
    int unconfirmed = 0;      // Commands sent whose answer is still to come.
  };

  // Notes that someone came to or left `channel`.
  void NoteChange(absl::string_view channel);
  std::vector<std::string> TakeChanges();

  void Run();
  // Connects, subscribes to everything and delivers until a fault; returns why. OK: stop.
  absl::Status Serve(Backoff& backoff);
  absl::Status Listen(RedisConnection& connection, Backoff& backoff);
  // Sends what brings the server in line with the subscribers of `channels`.
  absl::Status Align(RedisConnection& connection, std::vector<std::string> channels);
  void OnPush(PushKind kind, absl::string_view channel, absl::string_view payload);

  const RedisAddress address_;
  const BusOptions options_;
  Random& random_;
  Subscribers subscribers_;
  LinkState state_;
  WakeEvent wake_;
  absl::flat_hash_map<std::string, Channel> channels_;  // Of the current connection.
  mutable absl::Mutex mutex_;
  std::vector<std::string> changed_ ABSL_GUARDED_BY(mutex_);
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace bdcsync::bus
