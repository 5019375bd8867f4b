// Which places of a document a rule is for: a small dialect of JSONPath. `$` is the document,
// `.name` and `['name']` a member, `.*` and `[*]` any member or element (an element of a keyed list
// too), `..` before a step lets it stand at any depth: `$..tags`, `$..*`. Elements have no other
// name than `[*]`: an index means another element on each side. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::merge {

inline constexpr size_t kPatternBytesMax = 1024;
inline constexpr size_t kPatternStepsMax = 64;

struct PathStep {
  std::string name;   // Of a member; unused when `any`.
  bool any = false;   // Any member or element.
  bool deep = false;  // At any depth below the step before.
};

// The steps after `$`. kInvalidArgument: the message says what is wrong and at which byte.
absl::StatusOr<std::vector<PathStep>> ParsePathPattern(absl::string_view text);

}  // namespace bdcsync::merge
