// The first 128 bits of SHA-256: short names for long ones that clients choose, who must not be
// able to make two meet. Thread-safe.
#pragma once

#include <array>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bdcsync::event_store {

using Digest128 = std::array<char, 16>;

// Of the parts one after the other.
Digest128 DigestOf(absl::Span<const absl::string_view> parts);

inline absl::string_view ViewOf(const Digest128& digest) {
  return absl::string_view(digest.data(), digest.size());
}

}  // namespace bdcsync::event_store
