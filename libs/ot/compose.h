// Two operations, one after the other, as one. Thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/ot/delta.h"

namespace bdcsync::ot {

// What `first` and then `second` do. kInvalidArgument, with the component of `second` as its path,
// when that cuts a surrogate pair that `first` inserts.
absl::StatusOr<Delta> Compose(const Delta& first, const Delta& second);

// All of them in order, joined in halves: n log n for n operations. An error says which could not
// follow those before it.
absl::StatusOr<Delta> ComposeAll(absl::Span<const Delta> operations);

// `change` done to the content of a document. Also kInvalidArgument when it goes past the end.
absl::StatusOr<Delta> Apply(const Delta& document, const Delta& change);

}  // namespace bdcsync::ot
