// The port between commands and the desk of a server: gRPC ConflictDeskService, one method a call.
// Failures carry the server's reason. Not thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "bdcsync/sync/v1/desk.pb.h"

namespace bdcsync::cli {

namespace v1 = sync::v1;

class DeskClient {
 public:
  virtual ~DeskClient() = default;

  virtual absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetConflictResponse> GetConflict(
      const v1::GetConflictRequest& request) = 0;
  virtual absl::StatusOr<v1::DecideConflictsResponse> DecideConflicts(
      const v1::DecideConflictsRequest& request) = 0;
  virtual absl::StatusOr<v1::AssignConflictResponse> AssignConflict(
      const v1::AssignConflictRequest& request) = 0;
  virtual absl::StatusOr<v1::CancelConflictResponse> CancelConflict(
      const v1::CancelConflictRequest& request) = 0;
  virtual absl::StatusOr<v1::UndoResolutionResponse> UndoResolution(
      const v1::UndoResolutionRequest& request) = 0;
  virtual absl::StatusOr<v1::ListResolutionsResponse> ListResolutions(
      const v1::ListResolutionsRequest& request) = 0;
  virtual absl::StatusOr<v1::PutRuleSetResponse> PutRuleSet(
      const v1::PutRuleSetRequest& request) = 0;
  virtual absl::StatusOr<v1::GetRuleSetResponse> GetRuleSet(
      const v1::GetRuleSetRequest& request) = 0;
  virtual absl::StatusOr<v1::ListRuleSetsResponse> ListRuleSets(
      const v1::ListRuleSetsRequest& request) = 0;
  virtual absl::StatusOr<v1::RemoveRuleSetResponse> RemoveRuleSet(
      const v1::RemoveRuleSetRequest& request) = 0;
  virtual absl::StatusOr<v1::DryRunResponse> DryRun(const v1::DryRunRequest& request) = 0;
  virtual absl::StatusOr<v1::AnalyzeResponse> Analyze(const v1::AnalyzeRequest& request) = 0;
};

}  // namespace bdcsync::cli
