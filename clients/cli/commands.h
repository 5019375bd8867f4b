// What each command does: builds a request from its arguments, calls the server, prints the answer.
// A failure of the command line is INVALID_ARGUMENT without a reason of the server's; all others
// are the server's own.
#pragma once

#include "absl/status/statusor.h"
#include "clients/cli/arguments.h"
#include "clients/cli/environment.h"
#include "clients/cli/sync_client.h"

namespace bdcsync::cli {

struct Call {
  const Arguments& arguments;
  const Environment& environment;
  SyncClient& client;
};

// A command line that is wrong, as opposed to a request that the server refused: exit status 2.
absl::Status UsageError(const absl::Status& problem);
absl::Status Usage(absl::string_view problem);  // The same, said here.
bool IsUsageError(const absl::Status& status);

// Exit status 0 is OK; a command that ran but has bad news (status: a service is not ready) returns
// the number itself.
absl::StatusOr<int> RunPut(const Call& call);
absl::StatusOr<int> RunPatch(const Call& call);
absl::StatusOr<int> RunText(const Call& call);
absl::StatusOr<int> RunDelete(const Call& call);
absl::StatusOr<int> RunGet(const Call& call);
absl::StatusOr<int> RunList(const Call& call);
absl::StatusOr<int> RunHistory(const Call& call);
absl::StatusOr<int> RunDiff(const Call& call);
absl::StatusOr<int> RunDevices(const Call& call);
absl::StatusOr<int> RunStatus(const Call& call);
absl::StatusOr<int> RunWatch(const Call& call);
absl::StatusOr<int> RunConflicts(const Call& call);
absl::StatusOr<int> RunResolve(const Call& call);
absl::StatusOr<int> RunRules(const Call& call);
absl::StatusOr<int> RunSpool(const Call& call);
absl::StatusOr<int> RunConfig(const Call& call);
// These call no server.
absl::StatusOr<int> RunMerge(const Arguments& arguments, const Environment& environment);
absl::StatusOr<int> RunToken(const Arguments& arguments, const Environment& environment);
absl::StatusOr<int> RunDelta(const Arguments& arguments, const Environment& environment);
absl::StatusOr<int> RunVersion(const Arguments& arguments, const Environment& environment);

}  // namespace bdcsync::cli
