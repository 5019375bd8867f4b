// The records of the conflicts that a call is about, and work on a few of them at once.
// Thread-safe: functions only.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/version/conflict_desk.h"

namespace bdcsync::version {

inline constexpr int kConflictItemsPerCallMax = 100;
// Conflicts of one call that are worked on at once.
inline constexpr size_t kConflictsAtOnceMax = 8;

struct ConflictRecord {
  conflict::v1::Conflict conflict;
  common::v1::Error error;  // Why there is none.

  bool ok() const { return error.code().empty(); }
};

// One record per id. kInvalidArgument: too many. kUnavailable: try again.
void LookUpConflicts(
    ConflictDesk& desk, std::vector<std::string> ids,
    absl::AnyInvocable<void(absl::StatusOr<std::vector<ConflictRecord>>)> callback);

// Runs `work` for each of 0 … count - 1, at most `at_once_max` at a time, then `finished`. `work`
// runs its `done` exactly once, on any thread.
void ForEachOfSome(size_t count, size_t at_once_max,
                   std::function<void(size_t, absl::AnyInvocable<void()>)> work,
                   absl::AnyInvocable<void()> finished);

}  // namespace bdcsync::version
