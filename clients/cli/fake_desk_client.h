// A desk that notes requests and answers as told, for tests. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/desk_client.h"

namespace bdcsync::cli {

class FakeDeskClient final : public DeskClient {
 public:
  absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) override {
    list_conflicts_requests.push_back(request);
    return list_conflicts_answer;
  }
  absl::StatusOr<v1::GetConflictResponse> GetConflict(
      const v1::GetConflictRequest& request) override {
    get_conflict_requests.push_back(request);
    return get_conflict_answer;
  }
  absl::StatusOr<v1::DecideConflictsResponse> DecideConflicts(
      const v1::DecideConflictsRequest& request) override {
    decide_conflicts_requests.push_back(request);
    return decide_conflicts_answer;
  }
  absl::StatusOr<v1::AssignConflictResponse> AssignConflict(
      const v1::AssignConflictRequest& request) override {
    assign_conflict_requests.push_back(request);
    return assign_conflict_answer;
  }
  absl::StatusOr<v1::CancelConflictResponse> CancelConflict(
      const v1::CancelConflictRequest& request) override {
    cancel_conflict_requests.push_back(request);
    return cancel_conflict_answer;
  }
  absl::StatusOr<v1::UndoResolutionResponse> UndoResolution(
      const v1::UndoResolutionRequest& request) override {
    undo_resolution_requests.push_back(request);
    return undo_resolution_answer;
  }
  absl::StatusOr<v1::ListResolutionsResponse> ListResolutions(
      const v1::ListResolutionsRequest& request) override {
    list_resolutions_requests.push_back(request);
    return list_resolutions_answer;
  }
  absl::StatusOr<v1::PutRuleSetResponse> PutRuleSet(const v1::PutRuleSetRequest& request) override {
    put_rule_set_requests.push_back(request);
    return put_rule_set_answer;
  }
  absl::StatusOr<v1::GetRuleSetResponse> GetRuleSet(const v1::GetRuleSetRequest& request) override {
    get_rule_set_requests.push_back(request);
    return get_rule_set_answer;
  }
  absl::StatusOr<v1::ListRuleSetsResponse> ListRuleSets(
      const v1::ListRuleSetsRequest& request) override {
    list_rule_sets_requests.push_back(request);
    return list_rule_sets_answer;
  }
  absl::StatusOr<v1::RemoveRuleSetResponse> RemoveRuleSet(
      const v1::RemoveRuleSetRequest& request) override {
    remove_rule_set_requests.push_back(request);
    return remove_rule_set_answer;
  }
  absl::StatusOr<v1::DryRunResponse> DryRun(const v1::DryRunRequest& request) override {
    dry_run_requests.push_back(request);
    return dry_run_answer;
  }
  absl::StatusOr<v1::AnalyzeResponse> Analyze(const v1::AnalyzeRequest& request) override {
    analyze_requests.push_back(request);
    return analyze_answer;
  }

  std::vector<v1::ListConflictsRequest> list_conflicts_requests;
  absl::StatusOr<v1::ListConflictsResponse> list_conflicts_answer = v1::ListConflictsResponse();
  std::vector<v1::GetConflictRequest> get_conflict_requests;
  absl::StatusOr<v1::GetConflictResponse> get_conflict_answer = v1::GetConflictResponse();
  std::vector<v1::DecideConflictsRequest> decide_conflicts_requests;
  absl::StatusOr<v1::DecideConflictsResponse> decide_conflicts_answer =
      v1::DecideConflictsResponse();
  std::vector<v1::AssignConflictRequest> assign_conflict_requests;
  absl::StatusOr<v1::AssignConflictResponse> assign_conflict_answer = v1::AssignConflictResponse();
  std::vector<v1::CancelConflictRequest> cancel_conflict_requests;
  absl::StatusOr<v1::CancelConflictResponse> cancel_conflict_answer = v1::CancelConflictResponse();
  std::vector<v1::UndoResolutionRequest> undo_resolution_requests;
  absl::StatusOr<v1::UndoResolutionResponse> undo_resolution_answer = v1::UndoResolutionResponse();
  std::vector<v1::ListResolutionsRequest> list_resolutions_requests;
  absl::StatusOr<v1::ListResolutionsResponse> list_resolutions_answer =
      v1::ListResolutionsResponse();
  std::vector<v1::PutRuleSetRequest> put_rule_set_requests;
  absl::StatusOr<v1::PutRuleSetResponse> put_rule_set_answer = v1::PutRuleSetResponse();
  std::vector<v1::GetRuleSetRequest> get_rule_set_requests;
  absl::StatusOr<v1::GetRuleSetResponse> get_rule_set_answer = v1::GetRuleSetResponse();
  std::vector<v1::ListRuleSetsRequest> list_rule_sets_requests;
  absl::StatusOr<v1::ListRuleSetsResponse> list_rule_sets_answer = v1::ListRuleSetsResponse();
  std::vector<v1::RemoveRuleSetRequest> remove_rule_set_requests;
  absl::StatusOr<v1::RemoveRuleSetResponse> remove_rule_set_answer = v1::RemoveRuleSetResponse();
  std::vector<v1::DryRunRequest> dry_run_requests;
  absl::StatusOr<v1::DryRunResponse> dry_run_answer = v1::DryRunResponse();
  std::vector<v1::AnalyzeRequest> analyze_requests;
  absl::StatusOr<v1::AnalyzeResponse> analyze_answer = v1::AnalyzeResponse();
};

}  // namespace bdcsync::cli
