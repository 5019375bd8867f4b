// The one place that knows which kinds of bus there are.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"

namespace bdcsync::bus {

struct BusOptions {
  // Put before the name of each channel on a server, so that suites which share it do not hear each
  // other. All processes of a suite must have the same.
  std::string channel_prefix;
  // The outgoing queue, per node. The oldest messages give way to new ones.
  std::size_t queued_messages_max = 65536;
  std::size_t queued_bytes_max = 64 << 20;
  // One write to the transport carries at most this much.
  std::size_t batch_messages_max = 1024;
  std::size_t batch_bytes_max = 1 << 20;
  // A write follows the one before it after this long at the earliest, so that a busy bus gathers;
  // an idle one sends at once.
  absl::Duration write_interval_min = absl::Microseconds(500);
  absl::Duration connect_timeout = absl::Seconds(2);
  // No answer for this long means that the connection is dead.
  absl::Duration answer_timeout = absl::Seconds(5);
  // Waits between attempts to connect grow from min to max and are spread by ±50 %.
  absl::Duration backoff_min = absl::Milliseconds(50);
  absl::Duration backoff_max = absl::Seconds(5);
  // Spreads the waits. Borrowed, thread-safe, must outlive the bus; null: the system's.
  Random* random = nullptr;
  // Told each time a connection is lost (why) or made again (OK), on a thread of the bus; for logs.
  std::function<void(const absl::Status&)> on_connection_change;
};

// Opens the bus at `url`:
//   memory:                       inside this process;
//   redis://[user:password@]host[:port]   a Redis server; several, separated by commas, share the
//                                 channels by hash (all processes must list the same, in order).
// Returns at once; a server that cannot be reached is tried until it can, and shows in Health().
//   INVALID_ARGUMENT  the URL or the prefix cannot be understood; rediss:// is not supported.
absl::StatusOr<std::unique_ptr<Bus>> OpenBus(absl::string_view url, BusOptions options);
// What OpenBus would find wrong with the URL.
absl::Status CheckBusUrl(absl::string_view url);
// INVALID_ARGUMENT says how a prefix of channels may look.
absl::Status CheckChannelPrefix(absl::string_view prefix);

}  // namespace bdcsync::bus
