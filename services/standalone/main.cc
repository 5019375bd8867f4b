// `bdc-sync`: `serve` runs all five services in one process; everything else is the command line
// client.
#include <string>
#include <vector>

#include "clients/cli/cli.h"
#include "services/standalone/serve.h"

int main(int argc, char** argv) {
  constexpr char kServe[] = "serve";
  if (argc < 2 || std::string(argv[1]) != kServe) return bdcsync::cli::Main(argc, argv);
  std::vector<char*> arguments = {argv[0]};
  arguments.insert(arguments.end(), argv + 2, argv + argc);
  return bdcsync::standalone::Serve(static_cast<int>(arguments.size()), arguments.data());
}
