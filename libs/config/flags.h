// Settings and requests on the command line: --key.name=value, --key.name value, the kebab form of
// the environment name (--ws-port), and --config, --help and their like. Thread-safe: functions
// only.
#pragma once

#include <string>
#include <vector>

#include "libs/config/loader.h"
#include "libs/config/mistakes.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

struct Flags {
  Action action = Action::kRun;
  std::string file;  // Of --config; empty when not given.
  Settings settings;
};

// Later flags win. A Bool without a value means true. A flag is for one process, so a key of
// `others` is a mistake here, but one that says whose key it is.
Flags ReadFlags(const std::vector<std::string>& arguments, const Schema& schema,
                absl::Span<const SuiteKey> others, Mistakes& mistakes);

}  // namespace bdcsync::config
