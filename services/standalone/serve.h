// `bdc-sync serve`: the five services in one process, ready to try without any configuration.
// Called once, on the main thread.
#pragma once

namespace bdcsync::standalone {

// Runs until SIGTERM; returns the exit status (libs/app/run.h). argv[0] is the program,
// as the greeting names it.
int Serve(int argc, char** argv);

}  // namespace bdcsync::standalone
