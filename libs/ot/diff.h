// The operation that turns one document into another. Thread-safe.
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// Steps that looking for what is common may take, in all. Where they do not suffice, what is
// between the common start and end is replaced.
inline constexpr size_t kDiffWorkMax = 4'000'000;

// Never cuts a character. As short as can be within the bound on work, but for formats, which are
// compared where the text is common. kInvalidArgument when one of the two does not only insert.
absl::StatusOr<Delta> Diff(const Delta& from, const Delta& to, size_t work_max = kDiffWorkMax);

}  // namespace bdcsync::ot
