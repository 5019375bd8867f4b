// `bdc-sync`: `serve` runs all five services in one process, `bench` puts load on a gateway,
// everything else is the command line client.
#include <string>
#include <vector>

#include "clients/bench/bench.h"
#include "clients/cli/cli.h"
#include "services/standalone/serve.h"

int main(int argc, char** argv) {
  const std::string command = argc < 2 ? "" : argv[1];
  if (command == "bench") return bdcsync::bench::Main({argv + 2, argv + argc});
  if (command != "serve") return bdcsync::cli::Main(argc, argv);
  std::vector<char*> arguments = {argv[0]};
  arguments.insert(arguments.end(), argv + 2, argv + argc);
  return bdcsync::standalone::Serve(static_cast<int>(arguments.size()), arguments.data());
}
