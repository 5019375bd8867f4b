// The cursor that clients keep: "I have everything of the space up to here". base64url of epoch and
// seq, 16 bytes, and of `base` where there is one, 24 bytes; opaque to clients. Pure functions,
// thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bdcsync::gateway {

struct Cursor {
  uint64_t epoch = 0;
  int64_t seq = 0;
  // Set while only the latest state is transferred: of entities that changed again before they were
  // read, the client still has what there was at this seq. What follows brings them up to date.
  int64_t base = kNoBase;

  static constexpr int64_t kNoBase = -1;
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

std::string EncodeCursor(Cursor cursor);
// kInvalidArgument (path "cursor") unless EncodeCursor could have made `text`.
absl::StatusOr<Cursor> DecodeCursor(absl::string_view text);

}  // namespace bdcsync::gateway
