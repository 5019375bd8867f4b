// What the conflict service keeps of conflicts, and how it merges them: a port. Calls never block;
// each callback runs exactly once, on any thread, perhaps before the call returns. Thread-safe.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"

namespace bdcsync::version {

class ConflictDesk {
 public:
  template <typename Answer>
  using Callback = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  virtual ~ConflictDesk() = default;
  // Answers soon or fails: somebody waits for it who has nothing to gain from it.
  virtual void RecordFacts(conflict::v1::RecordFactsRequest request,
                           Callback<conflict::v1::RecordFactsResponse> callback) = 0;
  virtual void GetConflicts(conflict::v1::GetConflictsRequest request,
                            Callback<conflict::v1::GetConflictsResponse> callback) = 0;
  virtual void Decide(conflict::v1::DecideRequest request,
                      Callback<conflict::v1::DecideResponse> callback) = 0;
  // kFailedPrecondition: the window for it has passed, or it was undone.
  virtual void PlanUndo(conflict::v1::PlanUndoRequest request,
                        Callback<conflict::v1::PlanUndoResponse> callback) = 0;
  virtual void RecordUndone(conflict::v1::RecordUndoneRequest request,
                            Callback<conflict::v1::RecordUndoneResponse> callback) = 0;
};

}  // namespace bdcsync::version
