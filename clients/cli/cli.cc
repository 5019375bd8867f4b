#include "clients/cli/cli.h"

#include <unistd.h>

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "clients/cli/run.h"
#include "libs/base/stop_signal.h"

namespace bdcsync::cli {
namespace {

std::map<std::string, std::string> ReadVariables() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

}  // namespace

int Main(int argc, char** argv) {
  // Beneath C's stdio a failure to read looks like the end of the input.
  std::ios_base::sync_with_stdio(false);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::map<std::string, std::string> variables = ReadVariables();
  const SystemClock clock;
  SystemRandom random;
  StopSignal never;
  const Environment environment{
      variables, std::cin, std::cout, std::cerr, clock, random, [&never](absl::Duration duration) {
        never.WaitFor(duration);
      }};
  return RunCommandLine(words, environment, DialSync);
}

}  // namespace bdcsync::cli
