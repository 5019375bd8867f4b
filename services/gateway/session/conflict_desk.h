// Conflicts that wait for people, the records of decisions, and the rules, checked against what the
// caller may do: what they may not see is NOT_FOUND. Thread-safe; callbacks run exactly once, on
// any thread, also within the call.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/sync/v1/desk.pb.h"
#include "services/gateway/session/caller.h"

namespace bdcsync::gateway {

class ConflictDesk {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;
  using CallerPtr = std::shared_ptr<const Caller>;

  virtual ~ConflictDesk() = default;
  // What each needs is said in proto/bdcsync/sync/v1/desk.proto. An empty space means the caller's
  // own.
  virtual void ListConflicts(CallerPtr caller, sync::v1::ListConflictsRequest request,
                             Done<sync::v1::ListConflictsResponse> done) = 0;
  // A failure to find the conflict is a status, not an `error` inside the view.
  virtual void GetConflict(CallerPtr caller, sync::v1::GetConflictRequest request,
                           Done<sync::v1::GetConflictResponse> done) = 0;
  // One result per decision, in order; every refusal is a result. Each counts as an operation of
  // the caller's device.
  virtual void DecideConflicts(CallerPtr caller, sync::v1::DecideConflictsRequest request,
                               Done<sync::v1::DecideConflictsResponse> done) = 0;
  virtual void AssignConflict(CallerPtr caller, sync::v1::AssignConflictRequest request,
                              Done<sync::v1::AssignConflictResponse> done) = 0;
  virtual void CancelConflict(CallerPtr caller, sync::v1::CancelConflictRequest request,
                              Done<sync::v1::CancelConflictResponse> done) = 0;
  virtual void UndoResolution(CallerPtr caller, sync::v1::UndoResolutionRequest request,
                              Done<sync::v1::UndoResolutionResponse> done) = 0;
  virtual void ListResolutions(CallerPtr caller, sync::v1::ListResolutionsRequest request,
                               Done<sync::v1::ListResolutionsResponse> done) = 0;
  virtual void PutRuleSet(CallerPtr caller, sync::v1::PutRuleSetRequest request,
                          Done<sync::v1::PutRuleSetResponse> done) = 0;
  virtual void GetRuleSet(CallerPtr caller, sync::v1::GetRuleSetRequest request,
                          Done<sync::v1::GetRuleSetResponse> done) = 0;
  virtual void ListRuleSets(CallerPtr caller, sync::v1::ListRuleSetsRequest request,
                            Done<sync::v1::ListRuleSetsResponse> done) = 0;
  virtual void RemoveRuleSet(CallerPtr caller, sync::v1::RemoveRuleSetRequest request,
                             Done<sync::v1::RemoveRuleSetResponse> done) = 0;
  virtual void DryRun(CallerPtr caller, sync::v1::DryRunRequest request,
                      Done<sync::v1::DryRunResponse> done) = 0;
  virtual void Analyze(CallerPtr caller, sync::v1::AnalyzeRequest request,
                       Done<sync::v1::AnalyzeResponse> done) = 0;
};

}  // namespace bdcsync::gateway
