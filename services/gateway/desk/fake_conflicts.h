// A conflict service and a version service for tests of the desk and the worker: conflicts in
// memory, every call remembered, answered at once or when told to. One thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/errors.h"
#include "services/gateway/desk/conflict_ports.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {

class FakeConflicts final : public ConflictRecords, public ConflictVersions {
 public:
  template <typename Response>
  using Done = ConflictRecords::Done<Response>;

  // Adds an open conflict.
  conflict::v1::Conflict& Add(const std::string& id, const std::string& space) {
    conflict::v1::Conflict& conflict = conflicts[id];
    conflict.set_conflict_id(id);
    conflict.mutable_entity()->set_space(space);
    conflict.mutable_entity()->set_entity_type("note");
    conflict.mutable_entity()->set_entity_id("n-" + id);
    conflict.set_state(conflict::v1::CONFLICT_STATE_OPEN);
    conflict.set_user_id("author");
    return conflict;
  }

  // ConflictRecords.
  void ListConflicts(conflict::v1::ListConflictsRequest request,
                     Done<conflict::v1::ListConflictsResponse> done) override {
    conflict::v1::ListConflictsResponse response;
    for (const auto& [id, conflict] : conflicts) {
      if (conflict.entity().space() == request.space()) *response.add_conflicts() = conflict;
    }
    lists.push_back(std::move(request));
    Answer(std::move(done), std::move(response));
  }
  void GetConflicts(conflict::v1::GetConflictsRequest request,
                    Done<conflict::v1::GetConflictsResponse> done) override {
    conflict::v1::GetConflictsResponse response;
    for (const std::string& id : request.conflict_ids()) {
      conflict::v1::ConflictOrError& found = *response.add_conflicts();
      const auto entry = conflicts.find(id);
      if (entry == conflicts.end()) {
        *found.mutable_error() = ErrorOf(MakeError(Reason::kNotFound, "there is no such conflict"));
      } else {
        *found.mutable_conflict() = entry->second;
      }
    }
    get_sizes.push_back(request.conflict_ids_size());
    Answer(std::move(done), std::move(response));
  }
  void ListDue(conflict::v1::ListDueRequest request,
               Done<conflict::v1::ListDueResponse> done) override {
    due_requests.push_back(std::move(request));
    conflict::v1::ListDueResponse response;
    if (!due.empty()) {
      response = std::move(due.front());
      due.pop_front();
    }
    Answer(std::move(done), std::move(response));
  }
  void Assign(conflict::v1::AssignRequest request,
              Done<conflict::v1::AssignResponse> done) override {
    conflict::v1::Conflict& conflict = conflicts[request.conflict_id()];
    conflict.set_assigned_to(request.user_id());
    conflict.set_state(request.user_id().empty() ? conflict::v1::CONFLICT_STATE_OPEN
                                                 : conflict::v1::CONFLICT_STATE_ASSIGNED);
    conflict::v1::AssignResponse response;
    *response.mutable_conflict() = conflict;
    Answer(std::move(done), std::move(response));
  }
  void ListResolutions(conflict::v1::ListResolutionsRequest request,
                       Done<conflict::v1::ListResolutionsResponse> done) override {
    conflict::v1::ListResolutionsResponse response;
    response.add_resolutions()->mutable_entity()->set_space(request.space());
    Answer(std::move(done), std::move(response));
  }
  void PutRuleSet(conflict::v1::PutRuleSetRequest request,
                  Done<conflict::v1::PutRuleSetResponse> done) override {
    conflict::v1::PutRuleSetResponse response;
    response.mutable_rule_set()->set_entity_type(request.entity_type());
    response.mutable_rule_set()->set_rules(request.rules());
    response.mutable_rule_set()->set_author(request.author());
    puts.push_back(std::move(request));
    Answer(std::move(done), std::move(response));
  }
  void GetRuleSet(conflict::v1::GetRuleSetRequest request,
                  Done<conflict::v1::GetRuleSetResponse> done) override {
    conflict::v1::GetRuleSetResponse response;
    response.mutable_rule_set()->set_entity_type(request.entity_type());
    response.mutable_rule_set()->set_version(request.version());
    Answer(std::move(done), std::move(response));
  }
  void ListRuleSets(conflict::v1::ListRuleSetsRequest request,
                    Done<conflict::v1::ListRuleSetsResponse> done) override {
    conflict::v1::ListRuleSetsResponse response;
    response.add_rule_sets()->set_entity_type(request.entity_type());
    Answer(std::move(done), std::move(response));
  }
  void RemoveRuleSet(conflict::v1::RemoveRuleSetRequest request,
                     Done<conflict::v1::RemoveRuleSetResponse> done) override {
    removals.push_back(std::move(request));
    Answer(std::move(done), conflict::v1::RemoveRuleSetResponse());
  }
  void DryRun(conflict::v1::DryRunRequest request,
              Done<conflict::v1::DryRunResponse> done) override {
    conflict::v1::DryRunResponse response;
    response.set_records(request.records_max());
    Answer(std::move(done), std::move(response));
  }
  void Analyze(conflict::v1::AnalyzeRequest request,
               Done<conflict::v1::AnalyzeResponse> done) override {
    conflict::v1::AnalyzeResponse response;
    response.mutable_total()->set_key(request.space());
    Answer(std::move(done), std::move(response));
  }

  // ConflictVersions.
  size_t replicas() const override { return replica_count; }
  void ViewConflicts(size_t, version::v1::ViewConflictsRequest request,
                     Done<version::v1::ViewConflictsResponse> done) override {
    version::v1::ViewConflictsResponse response;
    for (const version::v1::ViewItem& item : request.items()) {
      *response.add_views()->mutable_conflict() = conflicts[item.conflict_id()];
    }
    views.push_back(std::move(request));
    Answer(std::move(done), std::move(response));
  }
  void CloseConflicts(size_t replica, version::v1::CloseConflictsRequest request,
                      Done<version::v1::CloseConflictsResponse> done) override {
    version::v1::CloseConflictsResponse response;
    if (away.contains(replica)) return done(MakeError(Reason::kUnavailable, "away"));
    for (const version::v1::CloseItem& item : request.items())
      *response.add_results() = close(item);
    closings.emplace_back(replica, std::move(request));
    Answer(std::move(done), std::move(response));
  }
  void UndoResolution(size_t, version::v1::UndoResolutionRequest request,
                      Done<version::v1::UndoResolutionResponse> done) override {
    version::v1::UndoResolutionResponse response;
    response.set_version_id("9-aa");
    response.mutable_position()->set_epoch(7);
    response.mutable_position()->set_seq(3);
    undos.push_back(std::move(request));
    Answer(std::move(done), std::move(response));
  }

  // Answers what waits while answers_at_once is false.
  void AnswerNext() {
    auto answer = std::move(waiting.front());
    waiting.pop_front();
    answer();
  }

  std::map<std::string, conflict::v1::Conflict> conflicts;
  size_t replica_count = 1;
  absl::Status failure;   // Of every call, when not OK.
  std::set<size_t> away;  // Replicas that close nothing.
  bool answers_at_once = true;
  // How a closing ends; by default with a version.
  std::function<version::v1::CloseResult(const version::v1::CloseItem&)> close =
      [this](const version::v1::CloseItem& item) {
        version::v1::CloseResult result;
        *result.mutable_conflict() = conflicts[item.conflict_id()];
        result.mutable_conflict()->set_state(item.cause() == version::v1::CLOSE_CAUSE_CANCELLED
                                                 ? conflict::v1::CONFLICT_STATE_CANCELLED
                                                 : conflict::v1::CONFLICT_STATE_RESOLVED);
        result.set_version_id("2-bb");
        result.mutable_position()->set_epoch(7);
        result.mutable_position()->set_seq(2);
        return result;
      };
  std::deque<conflict::v1::ListDueResponse> due;
  std::deque<absl::AnyInvocable<void()>> waiting;

  std::vector<conflict::v1::ListConflictsRequest> lists;
  std::vector<int> get_sizes;
  std::vector<conflict::v1::ListDueRequest> due_requests;
  std::vector<conflict::v1::PutRuleSetRequest> puts;
  std::vector<conflict::v1::RemoveRuleSetRequest> removals;
  std::vector<version::v1::ViewConflictsRequest> views;
  std::vector<std::pair<size_t, version::v1::CloseConflictsRequest>> closings;
  std::vector<version::v1::UndoResolutionRequest> undos;

 private:
  template <typename Response>
  void Answer(Done<Response> done, Response response) {
    auto answer = [this, done = std::move(done), response = std::move(response)]() mutable {
      if (failure.ok()) {
        done(std::move(response));
      } else {
        done(failure);
      }
    };
    if (answers_at_once) {
      answer();
    } else {
      waiting.push_back(std::move(answer));
    }
  }
};

}  // namespace bdcsync::gateway
