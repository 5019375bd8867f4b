// How texts become values; see parse.h for what is JSON here. Internal to libs/json. Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/parse.h"
#include "libs/json/value.h"

namespace bdcsync::json {

// A container that was read, and where it stands in its text.
struct Landmark {
  const char* begin = nullptr;
  size_t size = 0;
  size_t behind = 0;  // The index of the next landmark that does not lie inside this one.
  size_t height = 0;  // Its containers nested, itself counted.
  ContainerName container;
};
// In the order in which they begin: the outermost first.
using Landmarks = std::vector<Landmark>;

// Containers of fewer bytes, without a landmark inside, are none: reading them is as quick.
inline constexpr size_t kLandmarkBytesMin = 24;

// Parse(). Adds what it reads to `noted`, when that is not nullptr. What stands in `text` as it
// stands at a landmark of `beside`, about where it is looked for, is shared instead of read: the
// same value in less time. The text and the value of `beside` must still be what they were.
absl::StatusOr<Value> ParseText(absl::string_view text, const ParseLimits& limits,
                                Landmarks* noted = nullptr, const Landmarks* beside = nullptr);

}  // namespace bdcsync::json
