// "; did you mean …?" for a name that is not known. Thread-safe: functions only.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/config/schema.h"

namespace bdcsync::config {

// The candidate that is the fewest edits away from `name`, or that it is a part of, as "; did you
// mean <candidate>?"; empty when none is near.
std::string Suggestion(absl::string_view name, const std::vector<std::string>& candidates);
// The same among the names of `schema`.
std::string Suggestion(absl::string_view name, const Schema& schema);

}  // namespace bdcsync::config
