// Order and exact sums of JSON numbers, without rounding. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "libs/json/value.h"

namespace bdcsync::json {

// No sum is written with more digits than this.
inline constexpr size_t kSumDigitsMax = 1000;

// Below, equal to or above 0 as `a` is less than, equal to or greater than `b`, by exact value.
// Both must be numbers by the JSON grammar. Linear in the texts, whatever the exponents.
int CompareNumbers(absl::string_view a, absl::string_view b);

// The one text that all numbers equal to `number` have: 1 for 1.0 and 10e-1, as digits with a point
// where that takes at most kPlainDigitsMax of them, else as 1.5e400. `number` must be one by the
// JSON grammar. Linear in it.
std::string CanonicalNumber(absl::string_view number);
inline constexpr int64_t kPlainDigitsMax = 21;

// a + b - c, exactly, as digits with a point where needed and no exponent; as many digits behind
// the point as the number with most of them (0.10 + 1 is 1.10). Nothing when that takes more than
// kSumDigitsMax digits. All must be numbers.
std::optional<Value> AddAndSubtract(const Value& a, const Value& b, const Value& c);

}  // namespace bdcsync::json
