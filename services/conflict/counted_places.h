// What is counted about the places of a record or a conflict: place and rule, as one JSON text that
// both stores take apart when somebody asks. A row of its own for each place would cost every merge
// more than the merge. Pure. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::conflict {

// More pairs of place and rule are counted as the whole value's, by rule.
inline constexpr size_t kCountedPlacesMax = 64;
// A longer place is cut at a step, and counted as what holds it.
inline constexpr size_t kCountedPathBytesMax = 256;

struct CountedPlaces {
  std::string json = "[]";  // [[place, rule, decisions without asking] …], in order of place.
  int64_t automatic = 0;    // Decisions without asking, altogether.
};

// The place that a decision's path is counted at: an element of a keyed list is "*".
std::string CountedPath(absl::string_view path);

CountedPlaces CountPlaces(const v1::Resolution& resolution);
// Places that were asked about; none of them is automatic.
CountedPlaces CountPlaces(const v1::Conflict& conflict);

}  // namespace bdcsync::conflict
