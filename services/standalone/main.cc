// `bdc-sync`: `serve` runs all five services in one process, `bench` puts load on a gateway,
// everything else is the command line client.
#include <string>
#include <vector>

#include "clients/bench/bench.h"
#include "clients/cli/cli.h"
#include "services/standalone/serve.h"

int main(int argc, char** argv) {
  std::vector<char*> words(argv + 1, argv + argc);
  const auto word = [&words](size_t i) { return std::string(i < words.size() ? words[i] : ""); };
  // Their help is their own: `help bench` is `bench --help`.
  if (word(0) == "help" && (word(1) == "bench" || word(1) == "serve")) {
    static char help[] = "--help";
    words = {words[1], help};
  }
  if (word(0) == "bench") return bdcsync::bench::Main({words.begin() + 1, words.end()});
  if (word(0) != "serve") return bdcsync::cli::Main(argc, argv);
  words.front() = argv[0];
  return bdcsync::standalone::Serve(static_cast<int>(words.size()), words.data());
}
