// The load generator behind `bdc-sync bench`, used by ./dev bench.
#pragma once

#include <string>
#include <vector>

namespace bdcsync::bench {

// Runs the load that `args` describe (without the program's and the command's names) and prints one
// JSON object. Returns the exit status: 0, 1 when the load failed, 2 when the arguments are wrong.
int Main(const std::vector<std::string>& args);

}  // namespace bdcsync::bench
