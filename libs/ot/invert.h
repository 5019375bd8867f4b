// The operation that takes another one back. Thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// What turns the document after `change` into `document`, the one before it. kInvalidArgument when
// `change` goes past its end or cuts a surrogate pair of it, or `document` does not only insert.
absl::StatusOr<Delta> Invert(const Delta& change, const Delta& document);

}  // namespace bdcsync::ot
