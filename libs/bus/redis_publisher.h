// The outgoing half of one Redis node: a bounded queue and the thread that writes whatever waits in
// one go and hears the answers. A batch whose answers a fault cut off is sent again on the next
// connection. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/clock.h"
#include "libs/bus/backoff.h"
#include "libs/bus/bus.h"
#include "libs/bus/open.h"
#include "libs/bus/outgoing_queue.h"
#include "libs/bus/redis_link.h"
#include "libs/bus/redis_url.h"
#include "libs/bus/wake_event.h"

namespace bdcsync::bus {

class RedisConnection;

class RedisPublisher {
 public:
  RedisPublisher(RedisAddress address, const BusOptions& options, Random& random);
  ~RedisPublisher();

  void Push(absl::string_view channel, std::string payload);
  absl::Status Health() const { return state_.Get(); }
  void AddStats(BusStats& stats) const;

 private:
  void Run();
  // Connects and sends until a fault; the batch in hand outlives it. Returns why it ended; OK:
  // stop.
  absl::Status Serve(std::vector<OutgoingMessage>& batch, Backoff& backoff);
  absl::Status Send(RedisConnection& connection, const std::vector<OutgoingMessage>& batch);

  const RedisAddress address_;
  const BusOptions options_;
  Random& random_;
  const SystemClock clock_;
  OutgoingQueue queue_;
  WakeEvent stop_;
  LinkState state_;
  mutable absl::Mutex mutex_;
  BusStats stats_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace bdcsync::bus
