// The limits of the feed of one loop; the names of the keys stand beside the fields, the others are
// fixed. Values only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace bdcsync::gateway {

struct FeedLimits {
  size_t ring_events_max = 4096;        // feed.recent_events_max, of one space
  size_t ring_bytes_max = 4 << 20;      // feed.recent_bytes_max, of one space
  size_t recent_bytes_max = 128 << 20;  // feed.memory_max, of all spaces of the loop
  size_t batch_bytes_max = 512 << 10;   // Of the events in one `changes` message.
  size_t batches_shared_max = 32;       // Remembered per space until its events change.
  int32_t page_events_max = 500;        // Of one read.
  int64_t page_bytes_max = 512 << 10;   // Of one read.
  size_t reads_in_flight_max = 4;       // feed.reads_in_flight_max
  size_t heads_per_call_max = 4096;
  absl::Duration head_check_interval = absl::Seconds(1);  // feed.head_check_interval
  absl::Duration linger = absl::Seconds(10);  // A space without subscribers is kept this long.
  absl::Duration retry_after_min = absl::Milliseconds(50);
  absl::Duration retry_after_max = absl::Seconds(2);
  // A space whose events come in bursts is told of them at most this often, the more subscribers it
  // has the less often: every message to every subscriber is a system call. A single event after a
  // pause is told of at once.
  absl::Duration burst_interval_per_subscriber = absl::Microseconds(16);
  absl::Duration burst_interval_max = absl::Milliseconds(8);
  size_t sink_queued_bytes_max = 1 << 20;  // websocket.queued_bytes_high
  // A filtered subscription is told its cursor at least once per so many events that were not for
  // it.
  int64_t silent_events_max = 1000;
  absl::Duration resync_after_min = absl::Seconds(1);
  size_t resyncs_per_second = 200;  // feed.resyncs_per_second: paces clients that start again.
};

}  // namespace bdcsync::gateway
