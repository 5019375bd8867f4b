// What a session is told by the configuration; the names of the keys stand beside the fields.
// Values only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace bdcsync::gateway {

struct SessionOptions {
  bool require_authentication = true;                       // security.require_authentication
  absl::Duration authenticate_timeout = absl::Seconds(10);  // security.authenticate_timeout
  absl::Duration heartbeat_interval = absl::Seconds(30);    // websocket.heartbeat_interval, told
  size_t message_bytes_max = 1 << 20;                       // websocket.max_message_size, told
  int64_t operations_per_s = 10000;                         // limits.operations_per_s, told
  size_t subscriptions_max = 100;                           // limits.subscriptions_per_session
  size_t in_flight_max = 256;                               // limits.in_flight_per_session
  // Reads of a session that run at once, so that their answers, as long as a message may be, take
  // half of the room that its queue has.
  size_t reads_at_once_max = 7;
  // websocket.queued_bytes_high: with more in answers that wait for earlier ones, one read at a
  // time; with more in frames that wait for `subscribed`, no broadcasts, and of presence the last.
  size_t held_answer_bytes_max = 1 << 20;
  size_t sessions_per_user_max = 20'000;                   // limits.sessions_per_user
  double live_messages_per_s = 100;                        // limits.live_messages_per_s
  size_t batch_operations_max = 1000;                      // limits.operations_per_batch
  size_t json_depth_max = 64;                              // limits.json_depth
  absl::Duration reconnect_after_min = absl::Seconds(1);   // websocket.reconnect_after_min
  absl::Duration reconnect_after_max = absl::Seconds(10);  // websocket.reconnect_after_max
  absl::Duration device_heartbeat_interval =
      absl::Minutes(1);  // Between signs of life that are told to device-sync.
  absl::Duration drain_timeout = absl::Seconds(10);  // shutdown.drain_timeout
};

}  // namespace bdcsync::gateway
