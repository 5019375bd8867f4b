// The loads. Each runs its own io_context until it is done and returns one JSON object, or why it
// could not measure: a refused operation, a hole in a stream, a lost connection.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "clients/bench/options.h"

namespace bdcsync::bench {

absl::StatusOr<std::string> RunWrite(const Options& options);
absl::StatusOr<std::string> RunFanout(const Options& options);
absl::StatusOr<std::string> RunIdle(const Options& options);
absl::StatusOr<std::string> RunReconnect(const Options& options);
absl::StatusOr<std::string> RunTextReplay(const Options& options);
absl::StatusOr<std::string> RunTextHot(const Options& options);
absl::StatusOr<std::string> RunTextOpen(const Options& options);

}  // namespace bdcsync::bench
