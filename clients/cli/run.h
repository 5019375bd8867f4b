// One command line from words to exit status, with everything it touches given to it. For Main and
// for tests.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "clients/cli/environment.h"
#include "clients/cli/sync_client.h"

namespace bdcsync::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;  // Also when a file, or the output, cannot be read or written.
inline constexpr int kExitUnreachable = 3;

using Dial = std::function<absl::StatusOr<std::unique_ptr<SyncClient>>(SyncClientOptions)>;

// `words`: the command and what follows it.
int RunCommandLine(const std::vector<std::string>& words, const Environment& environment,
                   const Dial& dial);

}  // namespace bdcsync::cli
