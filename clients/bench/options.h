// What `bdc-sync bench` is asked to do, read from its command line.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bdcsync::bench {

inline constexpr const char* kLoads[] = {"write",       "fanout",   "idle",     "reconnect",
                                         "text-replay", "text-hot", "text-open"};

enum class Protocol { kBdcSync, kShareDb };

struct Options {
  std::string load;  // One of kLoads.
  std::string url = "ws://127.0.0.1:8765/";
  std::string token;
  Protocol protocol = Protocol::kBdcSync;
  int connections = 32;  // Of writers, subscribers or idle clients.
  int in_flight = 16;    // Per writer.
  int spaces = 100;
  int entities = 0;  // Per writer, patched in turn; 0: each operation creates one.
  int payload_bytes = 256;
  int rate_per_s = 0;  // Of the fan-out writer; 0: as fast as in_flight allows.
  absl::Duration return_within = absl::Seconds(2);  // Of clients that lost their gateway.
  std::string recording;                            // Of an editing session, for text-replay.
  absl::Duration latency = absl::ZeroDuration();    // Of text clients, in each direction.
  int pairs = 1;                                    // Of text-replay: sessions of two at once.
  int edits = 1'000'000;                            // For text-open.
  absl::Duration warm_up = absl::Seconds(1);
  absl::Duration duration = absl::Seconds(5);
};

// What is wrong with `args` (without the program's and the command's names) is told as
// INVALID_ARGUMENT.
absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& args);
// One line per option.
std::string Usage();

}  // namespace bdcsync::bench
