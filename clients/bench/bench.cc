#include "clients/bench/bench.h"

#include <cstdio>
#include <map>
#include <string>

#include "absl/algorithm/container.h"
#include "clients/bench/load.h"
#include "clients/bench/options.h"

namespace bdcsync::bench {
namespace {

using Load = absl::StatusOr<std::string> (*)(const Options&);

const std::map<std::string, Load>& Loads() {
  static const auto* loads = new std::map<std::string, Load>{
      {"write", RunWrite},         {"fanout", RunFanout},          {"idle", RunIdle},
      {"reconnect", RunReconnect}, {"text-replay", RunTextReplay}, {"text-hot", RunTextHot},
      {"text-open", RunTextOpen},
  };
  return *loads;
}

// Returns the exit status: output that is lost is a failure.
int Print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "bdc-sync bench: standard output could not be written\n");
  return 1;
}

}  // namespace

int Main(const std::vector<std::string>& args) {
  if (absl::c_linear_search(args, "--help") || absl::c_linear_search(args, "-h")) {
    return Print(Usage());
  }
  const auto options = ParseOptions(args);
  if (!options.ok()) {
    std::fprintf(stderr, "bdc-sync bench: %s\n\n%s",
                 std::string(options.status().message()).c_str(), Usage().c_str());
    return 2;
  }
  const auto result = Loads().at(options->load)(*options);
  if (!result.ok()) {
    std::fprintf(stderr, "bdc-sync bench: %s\n", std::string(result.status().message()).c_str());
    return 1;
  }
  return Print(*result + "\n");
}

}  // namespace bdcsync::bench
