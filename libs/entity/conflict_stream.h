// The stream that tells which conflicts about an entity are open. Its name begins as no entity type
// may, so that it is never taken for a branch. Thread-safe: values only.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace bdcsync::entity {

// One entity, borrowed.
struct ConflictStreamView {
  absl::string_view type;
  absl::string_view id;
};

// "!conflicts:<type>:<id>". Both must be valid.
std::string ConflictStreamName(absl::string_view type, absl::string_view id);
// What ConflictStreamName was made of; borrows `stream`. Nothing for any other stream.
std::optional<ConflictStreamView> ParseConflictStreamName(absl::string_view stream);

}  // namespace bdcsync::entity
