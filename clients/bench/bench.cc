#include "clients/bench/bench.h"

#include <cstdio>

#include "clients/bench/load.h"
#include "clients/bench/options.h"

namespace bdcsync::bench {

int Main(const std::vector<std::string>& args) {
  const auto options = ParseOptions(args);
  if (!options.ok()) {
    std::fprintf(stderr, "bdc-sync bench: %s\n\n%s",
                 std::string(options.status().message()).c_str(), Usage().c_str());
    return 2;
  }
  const auto result = options->load == "write"       ? RunWrite(*options)
                      : options->load == "fanout"    ? RunFanout(*options)
                      : options->load == "reconnect" ? RunReconnect(*options)
                                                     : RunIdle(*options);
  if (!result.ok()) {
    std::fprintf(stderr, "bdc-sync bench: %s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  std::printf("%s\n", result->c_str());
  return 0;
}

}  // namespace bdcsync::bench
