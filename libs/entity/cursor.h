// Cursors: a place in the history of a space, as clients hold it. Base64url (no padding) of a
// format byte, the epoch, the seq and, where there are any, the base and what is had, all big
// endian: 23, 34 or 44 characters. Opaque to clients; decoding takes nothing but what encoding
// makes. Thread-safe: values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::entity {

struct Cursor {
  uint64_t epoch = 0;
  int64_t seq = 0;  // From 0: nothing.
  // Set while only the latest state is transferred: of entities that changed again before they were
  // read, the client still has what there was at this seq. What follows brings them up to date.
  int64_t base = kNoBase;
  // Set where that began within another such transfer: of some entities the client may still have
  // what there was at a seq after the base, up to this one.
  int64_t had = kNoBase;

  static constexpr int64_t kNoBase = -1;

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

std::string EncodeCursor(const Cursor& cursor);
std::optional<Cursor> DecodeCursor(absl::string_view text);

}  // namespace bdcsync::entity
