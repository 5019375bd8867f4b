// The command line client: `bdc-sync put|patch|delete|get|list|history|diff|watch|devices|token|
// status|help` over gRPC SyncService, and `delta` and `merge`, which need no server. Called once,
// on the main thread.
#pragma once

namespace bdcsync::cli {

// Runs the command in argv[1] and returns the exit status: 0 done, 1 refused or not found, 2 the
// command line or a file is wrong or the output is lost, 3 the server cannot be reached.
int Main(int argc, char** argv);

}  // namespace bdcsync::cli
