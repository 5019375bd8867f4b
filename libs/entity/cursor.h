// Cursors: a place in the history of a space, as clients hold it. Base64url (no padding) of a
// format byte, the epoch and the seq, both big endian: 23 characters. Opaque to clients; decoding
// takes nothing but what encoding makes. Thread-safe: values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::entity {

struct Cursor {
  uint64_t epoch = 0;
  int64_t seq = 0;  // From 0: nothing.

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

std::string EncodeCursor(const Cursor& cursor);
std::optional<Cursor> DecodeCursor(absl::string_view text);

}  // namespace bdcsync::entity
