// What Boost.JSON reads in a text: another opinion on what is JSON and what it says. For tests.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::json {

struct BoostOutcome {
  std::optional<Value> value;  // Nothing: it is not JSON.
  bool too_deep = false;
  bool exponent_overflow = false;  // Boost counts the digits before the exponent too.
};

BoostOutcome ParseByBoost(absl::string_view text, size_t depth_max);

}  // namespace bdcsync::json
