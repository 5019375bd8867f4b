// What the process gives to a command, so that tests can give something else. Borrowed throughout.
#pragma once

#include <functional>
#include <istream>
#include <map>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"

namespace bdcsync::cli {

struct Environment {
  const std::map<std::string, std::string>& variables;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  Random& random;
  // Waits; `watch` does so between attempts to reconnect.
  std::function<void(absl::Duration)> wait;
};

}  // namespace bdcsync::cli
