// A desk for tests that records what it was asked; the test answers. One thread.
#pragma once

#include <deque>
#include <utility>

#include "libs/base/errors.h"
#include "services/gateway/session/conflict_desk.h"

namespace bdcsync::gateway {

class FakeDesk final : public ConflictDesk {
 public:
  template <typename Request, typename Response>
  struct Asked {
    CallerPtr caller;
    Request request;
    Done<Response> done;
  };
  template <typename Request, typename Response>
  using Queue = std::deque<Asked<Request, Response>>;

  void ListConflicts(CallerPtr caller, sync::v1::ListConflictsRequest request,
                     Done<sync::v1::ListConflictsResponse> done) override {
    lists.push_back({std::move(caller), std::move(request), std::move(done)});
  }
  void GetConflict(CallerPtr caller, sync::v1::GetConflictRequest request,
                   Done<sync::v1::GetConflictResponse> done) override {
    gets.push_back({std::move(caller), std::move(request), std::move(done)});
  }
  void DecideConflicts(CallerPtr caller, sync::v1::DecideConflictsRequest request,
                       Done<sync::v1::DecideConflictsResponse> done) override {
    decisions.push_back({std::move(caller), std::move(request), std::move(done)});
  }
  void AssignConflict(CallerPtr caller, sync::v1::AssignConflictRequest request,
                      Done<sync::v1::AssignConflictResponse> done) override {
    assignments.push_back({std::move(caller), std::move(request), std::move(done)});
  }
  void CancelConflict(CallerPtr, sync::v1::CancelConflictRequest,
                      Done<sync::v1::CancelConflictResponse> done) override {
    done(sync::v1::CancelConflictResponse());
  }
  void UndoResolution(CallerPtr, sync::v1::UndoResolutionRequest,
                      Done<sync::v1::UndoResolutionResponse> done) override {
    done(sync::v1::UndoResolutionResponse());
  }
  void ListResolutions(CallerPtr, sync::v1::ListResolutionsRequest,
                       Done<sync::v1::ListResolutionsResponse> done) override {
    done(sync::v1::ListResolutionsResponse());
  }
  void PutRuleSet(CallerPtr caller, sync::v1::PutRuleSetRequest request,
                  Done<sync::v1::PutRuleSetResponse> done) override {
    if (!caller->admin) return done(MakeError(Reason::kForbidden, "for administrators"));
    sync::v1::PutRuleSetResponse response;
    response.mutable_rule_set()->set_entity_type(request.entity_type());
    response.mutable_rule_set()->set_version(1);
    done(std::move(response));
  }
  void GetRuleSet(CallerPtr, sync::v1::GetRuleSetRequest,
                  Done<sync::v1::GetRuleSetResponse> done) override {
    done(MakeError(Reason::kNotFound, "no rules"));
  }
  void ListRuleSets(CallerPtr, sync::v1::ListRuleSetsRequest,
                    Done<sync::v1::ListRuleSetsResponse> done) override {
    done(sync::v1::ListRuleSetsResponse());
  }
  void RemoveRuleSet(CallerPtr, sync::v1::RemoveRuleSetRequest,
                     Done<sync::v1::RemoveRuleSetResponse> done) override {
    done(sync::v1::RemoveRuleSetResponse());
  }
  void DryRun(CallerPtr, sync::v1::DryRunRequest, Done<sync::v1::DryRunResponse> done) override {
    done(sync::v1::DryRunResponse());
  }
  void Analyze(CallerPtr, sync::v1::AnalyzeRequest, Done<sync::v1::AnalyzeResponse> done) override {
    done(sync::v1::AnalyzeResponse());
  }

  Queue<sync::v1::ListConflictsRequest, sync::v1::ListConflictsResponse> lists;
  Queue<sync::v1::GetConflictRequest, sync::v1::GetConflictResponse> gets;
  Queue<sync::v1::DecideConflictsRequest, sync::v1::DecideConflictsResponse> decisions;
  Queue<sync::v1::AssignConflictRequest, sync::v1::AssignConflictResponse> assignments;
};

}  // namespace bdcsync::gateway
