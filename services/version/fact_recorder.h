// Tells conflict what the log holds of conflicts, on a best effort: what fails is counted, and made
// good by whoever compares the two later. Thread-safe.
#pragma once

#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/version/commit_observer.h"
#include "services/version/conflict_desk.h"

namespace bdcsync::version {

class FactRecorder {
 public:
  // Borrowed; they outlive the last call.
  FactRecorder(ConflictDesk& desk, CommitObserver& observer) : desk_(desk), observer_(observer) {}

  // Runs `done` when all were told, or could not be.
  void Record(std::vector<conflict::v1::Fact> facts, absl::AnyInvocable<void()> done);

 private:
  ConflictDesk& desk_;
  CommitObserver& observer_;
};

// The fact that `conflict` is in its state; large values are left out.
conflict::v1::Fact FactOf(const conflict::v1::Conflict& conflict);

}  // namespace bdcsync::version
