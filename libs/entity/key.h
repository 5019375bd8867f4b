// The names of things: spaces, entities, branches and streams, and which of them are allowed. One
// definition for whoever checks a request and whoever stores it. Thread-safe: values only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bdcsync::entity {

inline constexpr size_t kSpaceBytesMax = 128;
inline constexpr size_t kTypeBytesMax = 64;
inline constexpr size_t kIdBytesMax = 256;
inline constexpr size_t kBranchBytesMax = 128;
inline constexpr absl::string_view kMainBranch = "main";

// One branch of one entity, borrowed.
struct KeyView {
  absl::string_view space;
  absl::string_view type;
  absl::string_view id;
  absl::string_view branch = kMainBranch;
};

// The view of a common.v1.EntityKey, whose empty branch means "main". `key` must outlive it.
template <typename EntityKey>
KeyView ViewOf(const EntityKey& key) {
  return {key.space(), key.entity_type(), key.entity_id(),
          key.branch().empty() ? kMainBranch : absl::string_view(key.branch())};
}

// Each fails with kInvalidArgument at the field's name ("space", "entity_type", "entity_id",
// "branch"); the message says what is allowed.
absl::Status ValidateSpace(absl::string_view space);    // 1-128 of [A-Za-z0-9_.:@-]
absl::Status ValidateType(absl::string_view type);      // 1-64 of [A-Za-z0-9_.-]
absl::Status ValidateId(absl::string_view id);          // 1-256 bytes of UTF-8, no controls
absl::Status ValidateBranch(absl::string_view branch);  // 1-128 of [A-Za-z0-9_./-]
absl::Status ValidateKey(const KeyView& key);

// The name of the stream that holds the branch: "<type>:<branch>:<id>". The key must be valid.
std::string StreamName(const KeyView& key);

// What StreamName was made of; borrows `stream`. The space is left empty.
std::optional<KeyView> ParseStreamName(absl::string_view stream);

}  // namespace bdcsync::entity
