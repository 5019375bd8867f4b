// Text to json::Value: RFC 8259 and nothing beyond it (no comments, no trailing commas, no NaN), in
// strict UTF-8 (no overlong forms, no surrogates, no lone \ud800 escapes). Of members with one key
// the last one counts. Thread-safe. What is JSON and what is not is checked against
// Boost.JSON (parse_test.cc, json_parse_fuzz.cc).
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::json {

struct ParseLimits {
  size_t depth_max = 64;                // Nested containers; at most kDepthCeiling.
  size_t bytes_max = 64 * 1024 * 1024;  // Of `text`.
};

// Parses all of `text` as one value. Errors, each naming the byte offset:
//   kTooLarge    more than bytes_max bytes (nothing was parsed).
//   kTooDeep     containers nested deeper than depth_max.
//   kBadMessage  not JSON, or not UTF-8.
absl::StatusOr<Value> Parse(absl::string_view text, const ParseLimits& limits = {});

}  // namespace bdcsync::json
