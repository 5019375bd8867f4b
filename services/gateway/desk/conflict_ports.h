// What the desk and the worker need of the conflict service (records, rules) and of the version
// service (states, closing, undo). Thread-safe; callbacks run exactly once, on any thread, and must
// not block. A call that fails with UNAVAILABLE or DEADLINE_EXCEEDED may have had its effect;
// closing the same conflict again is safe.
#pragma once

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/version/v1/version.pb.h"

namespace bdcsync::gateway {

class ConflictRecords {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~ConflictRecords() = default;
  virtual void ListConflicts(conflict::v1::ListConflictsRequest request,
                             Done<conflict::v1::ListConflictsResponse> done) = 0;
  virtual void GetConflicts(conflict::v1::GetConflictsRequest request,
                            Done<conflict::v1::GetConflictsResponse> done) = 0;
  virtual void ListDue(conflict::v1::ListDueRequest request,
                       Done<conflict::v1::ListDueResponse> done) = 0;
  virtual void Assign(conflict::v1::AssignRequest request,
                      Done<conflict::v1::AssignResponse> done) = 0;
  virtual void ListResolutions(conflict::v1::ListResolutionsRequest request,
                               Done<conflict::v1::ListResolutionsResponse> done) = 0;
  virtual void PutRuleSet(conflict::v1::PutRuleSetRequest request,
                          Done<conflict::v1::PutRuleSetResponse> done) = 0;
  virtual void GetRuleSet(conflict::v1::GetRuleSetRequest request,
                          Done<conflict::v1::GetRuleSetResponse> done) = 0;
  virtual void ListRuleSets(conflict::v1::ListRuleSetsRequest request,
                            Done<conflict::v1::ListRuleSetsResponse> done) = 0;
  virtual void RemoveRuleSet(conflict::v1::RemoveRuleSetRequest request,
                             Done<conflict::v1::RemoveRuleSetResponse> done) = 0;
  virtual void DryRun(conflict::v1::DryRunRequest request,
                      Done<conflict::v1::DryRunResponse> done) = 0;
  virtual void Analyze(conflict::v1::AnalyzeRequest request,
                       Done<conflict::v1::AnalyzeResponse> done) = 0;
};

class ConflictVersions {
 public:
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  virtual ~ConflictVersions() = default;
  // As VersionClient: a space goes to one replica, and any may serve it.
  virtual size_t replicas() const = 0;
  virtual void ViewConflicts(size_t replica, version::v1::ViewConflictsRequest request,
                             Done<version::v1::ViewConflictsResponse> done) = 0;
  virtual void CloseConflicts(size_t replica, version::v1::CloseConflictsRequest request,
                              Done<version::v1::CloseConflictsResponse> done) = 0;
  virtual void UndoResolution(size_t replica, version::v1::UndoResolutionRequest request,
                              Done<version::v1::UndoResolutionResponse> done) = 0;
};

// Conflicts in one call of GetConflicts, ViewConflicts or CloseConflicts.
inline constexpr int kConflictsPerCallMax = 100;

}  // namespace bdcsync::gateway
