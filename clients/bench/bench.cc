#include "clients/bench/bench.h"

#include <cstdio>
#include <map>
#include <string>

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

}  // namespace

int Main(const std::vector<std::string>& args) {
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
  std::printf("%s\n", result->c_str());
  return 0;
}

}  // namespace bdcsync::bench
