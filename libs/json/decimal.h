// The exact value of a JSON number, read from its text without rounding: sign, significant digits,
// exponent. A view into the text; nothing is allocated. Internal to libs/json. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace bdcsync::json {

// (-1)^negative x digits x 10^exponent, with neither leading nor trailing zeros in `digits`; zero
// has no digits, exponent 0 and no sign. Equal numbers have equal fields, but for the point.
struct Decimal {
  bool negative = false;
  absl::string_view digits;  // May hold one '.', which means nothing here.
  int64_t exponent = 0;
};

// `text` must be a number by the JSON grammar.
Decimal ReadDecimal(absl::string_view text);
bool IsNumberText(absl::string_view text);
// Seeded: numbers that have one hash cannot be made up beforehand.
uint64_t HashOf(const Decimal& decimal);
// The value as an integer; nothing when it has a fraction or does not fit.
std::optional<int64_t> ToInt64(const Decimal& decimal);

}  // namespace bdcsync::json
