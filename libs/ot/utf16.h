// Text is stored in UTF-8 and counted in UTF-16 code units, as editors count: a character beyond
// the basic plane is two units (a surrogate pair) and four bytes. Thread-safe; nothing is
// allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace bdcsync::ot {

// How long a text is, in each way of counting.
struct TextSize {
  int64_t bytes = 0;
  int64_t units = 0;   // UTF-16.
  int64_t points = 0;  // Code points.

  TextSize& operator+=(const TextSize& other) {
    bytes += other.bytes;
    units += other.units;
    points += other.points;
    return *this;
  }
  TextSize& operator-=(const TextSize& other) {
    bytes -= other.bytes;
    units -= other.units;
    points -= other.points;
    return *this;
  }
  friend bool operator==(const TextSize& a, const TextSize& b) = default;
};

// The size of `utf8`, which must be valid.
TextSize SizeOf(absl::string_view utf8);
// Whether `utf8` is UTF-8: no overlong forms, nothing beyond U+10FFFF, no surrogates.
bool IsUtf8(absl::string_view utf8);
// The byte at which unit number `unit` begins; the size when `utf8` has just so many units. Nothing
// when that is between the halves of a surrogate pair, or past the end.
std::optional<size_t> ByteOfUnit(absl::string_view utf8, int64_t unit);
// The unit at which code point number `point` begins; at most all units.
int64_t UnitOfPoint(absl::string_view utf8, int64_t point);

}  // namespace bdcsync::ot
