// The names of what conflicts leave in the log: the branch that keeps a change, and the stream that
// says which conflicts of an entity are open: its head is a tombstone, or there is none, when no
// conflict is. Thread-safe: values only.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/entity/key.h"

namespace bdcsync::entity {

// Followed by the conflict's id.
inline constexpr absl::string_view kConflictBranchPrefix = "conflict/";

inline bool IsConflictBranch(absl::string_view branch) {
  return branch.substr(0, kConflictBranchPrefix.size()) == kConflictBranchPrefix;
}

// "!conflicts:<type>:<id>", whatever the branch. The key must be valid.
std::string ConflictsStreamName(const KeyView& key);

// What ConflictsStreamName was made of, on main; borrows `stream`. The space is left empty.
std::optional<KeyView> ParseConflictsStreamName(absl::string_view stream);

}  // namespace bdcsync::entity
