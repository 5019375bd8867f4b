#include "services/gateway/grpc/conflict_desk_service.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "services/gateway/desk/desk.h"
#include "services/gateway/protocol/conflict_request.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

using Choices = google::protobuf::RepeatedPtrField<conflict::v1::Choice>;

// What the WebSocket's reader checks there.
absl::Status CheckChoices(const Choices& choices, size_t json_depth_max) {
  if (static_cast<size_t>(choices.size()) > kConflictChoicesMax) {
    return MakeErrorAt(Reason::kTooLarge, "choices",
                       absl::StrCat("at most ", kConflictChoicesMax, " for one conflict"));
  }
  json::ParseLimits limits;
  limits.depth_max = json_depth_max;
  for (const conflict::v1::Choice& choice : choices) {
    if (static_cast<size_t>(choice.paths_size()) > kConflictPathsMax) {
      return MakeErrorAt(Reason::kTooLarge, "paths",
                         absl::StrCat("at most ", kConflictPathsMax, " in one choice"));
    }
    if (choice.choice() != "value") continue;
    if (const auto value = json::Parse(choice.value(), limits); !value.ok()) {
      return MakeErrorAt(ReasonOf(value.status()), "value", value.status().message());
    }
  }
  return absl::OkStatus();
}

template <typename Request>
absl::Status Check(const Request&, size_t) {
  return absl::OkStatus();
}

absl::Status Check(const sync::v1::GetConflictRequest& request, size_t json_depth_max) {
  return CheckChoices(request.choices(), json_depth_max);
}

// Results in the order of the decisions: those that were refused before they reached the desk, and
// between them those of the desk.
class DecisionResults {
 public:
  // Whether the desk is to have the next decision.
  bool Passes(const sync::v1::ConflictDecision& decision, size_t json_depth_max) {
    const absl::Status valid = CheckChoices(decision.choices(), json_depth_max);
    refused_.emplace_back();
    if (!valid.ok()) refused_.back() = ErrorOf(valid);
    return valid.ok();
  }

  sync::v1::DecideConflictsResponse Together(sync::v1::DecideConflictsResponse of_desk) const {
    sync::v1::DecideConflictsResponse all;
    int next = 0;
    for (const std::optional<common::v1::Error>& refused : refused_) {
      sync::v1::DecideResult& result = *all.add_results();
      if (refused) {
        *result.mutable_error() = *refused;
      } else {
        result = std::move(*of_desk.mutable_results(next++));
      }
    }
    return all;
  }

 private:
  std::vector<std::optional<common::v1::Error>> refused_;  // One for each decision.
};

// One decision that is no good holds up none of the others.
void DecideEach(ConflictDesk& desk, ConflictDesk::CallerPtr caller,
                const sync::v1::DecideConflictsRequest& request, size_t json_depth_max,
                ConflictDesk::Done<sync::v1::DecideConflictsResponse> done) {
  if (request.decisions_size() > kDecisionsMax) {  // Which the desk refuses.
    return desk.DecideConflicts(std::move(caller), request, std::move(done));
  }
  DecisionResults results;
  sync::v1::DecideConflictsRequest passing;
  for (const sync::v1::ConflictDecision& decision : request.decisions()) {
    if (results.Passes(decision, json_depth_max)) *passing.add_decisions() = decision;
  }
  desk.DecideConflicts(std::move(caller), std::move(passing),
                       [results = std::move(results), done = std::move(done)](
                           absl::StatusOr<sync::v1::DecideConflictsResponse> decided) mutable {
                         if (decided.ok()) decided = results.Together(*std::move(decided));
                         done(std::move(decided));
                       });
}

}  // namespace

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ConflictDeskService::Forward(grpc::CallbackServerContext* context,
                                                       const Request* request, Response* response,
                                                       Method<Request, Response> method) {
  const absl::StatusOr<const ConflictDeskDependencies*> serving = to_.Get();
  if (!serving.ok()) return rpc::FinishNow(context, serving.status());
  const ConflictDeskDependencies* const to = *serving;
  return PassGate(context, to->gate, [=](std::shared_ptr<const Caller> caller, auto done) {
    if (const absl::Status valid = Check(*request, to->json_depth_max); !valid.ok()) {
      return done(valid);
    }
    (to->desk.*method)(std::move(caller), *request, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* ConflictDeskService::ListConflicts(
    grpc::CallbackServerContext* context, const sync::v1::ListConflictsRequest* request,
    sync::v1::ListConflictsResponse* response) {
  return Forward(context, request, response, &ConflictDesk::ListConflicts);
}

grpc::ServerUnaryReactor* ConflictDeskService::GetConflict(
    grpc::CallbackServerContext* context, const sync::v1::GetConflictRequest* request,
    sync::v1::GetConflictResponse* response) {
  return Forward(context, request, response, &ConflictDesk::GetConflict);
}

grpc::ServerUnaryReactor* ConflictDeskService::DecideConflicts(
    grpc::CallbackServerContext* context, const sync::v1::DecideConflictsRequest* request,
    sync::v1::DecideConflictsResponse* response) {
  const absl::StatusOr<const ConflictDeskDependencies*> serving = to_.Get();
  if (!serving.ok()) return rpc::FinishNow(context, serving.status());
  const ConflictDeskDependencies* const to = *serving;
  return PassGate(context, to->gate, [=](std::shared_ptr<const Caller> caller, auto done) {
    DecideEach(to->desk, std::move(caller), *request, to->json_depth_max, FillFrom(response, done));
  });
}

grpc::ServerUnaryReactor* ConflictDeskService::AssignConflict(
    grpc::CallbackServerContext* context, const sync::v1::AssignConflictRequest* request,
    sync::v1::AssignConflictResponse* response) {
  return Forward(context, request, response, &ConflictDesk::AssignConflict);
}

grpc::ServerUnaryReactor* ConflictDeskService::CancelConflict(
    grpc::CallbackServerContext* context, const sync::v1::CancelConflictRequest* request,
    sync::v1::CancelConflictResponse* response) {
  return Forward(context, request, response, &ConflictDesk::CancelConflict);
}

grpc::ServerUnaryReactor* ConflictDeskService::UndoResolution(
    grpc::CallbackServerContext* context, const sync::v1::UndoResolutionRequest* request,
    sync::v1::UndoResolutionResponse* response) {
  return Forward(context, request, response, &ConflictDesk::UndoResolution);
}

grpc::ServerUnaryReactor* ConflictDeskService::ListResolutions(
    grpc::CallbackServerContext* context, const sync::v1::ListResolutionsRequest* request,
    sync::v1::ListResolutionsResponse* response) {
  return Forward(context, request, response, &ConflictDesk::ListResolutions);
}

grpc::ServerUnaryReactor* ConflictDeskService::PutRuleSet(
    grpc::CallbackServerContext* context, const sync::v1::PutRuleSetRequest* request,
    sync::v1::PutRuleSetResponse* response) {
  return Forward(context, request, response, &ConflictDesk::PutRuleSet);
}

grpc::ServerUnaryReactor* ConflictDeskService::GetRuleSet(
    grpc::CallbackServerContext* context, const sync::v1::GetRuleSetRequest* request,
    sync::v1::GetRuleSetResponse* response) {
  return Forward(context, request, response, &ConflictDesk::GetRuleSet);
}

grpc::ServerUnaryReactor* ConflictDeskService::ListRuleSets(
    grpc::CallbackServerContext* context, const sync::v1::ListRuleSetsRequest* request,
    sync::v1::ListRuleSetsResponse* response) {
  return Forward(context, request, response, &ConflictDesk::ListRuleSets);
}

grpc::ServerUnaryReactor* ConflictDeskService::RemoveRuleSet(
    grpc::CallbackServerContext* context, const sync::v1::RemoveRuleSetRequest* request,
    sync::v1::RemoveRuleSetResponse* response) {
  return Forward(context, request, response, &ConflictDesk::RemoveRuleSet);
}

grpc::ServerUnaryReactor* ConflictDeskService::DryRun(grpc::CallbackServerContext* context,
                                                      const sync::v1::DryRunRequest* request,
                                                      sync::v1::DryRunResponse* response) {
  return Forward(context, request, response, &ConflictDesk::DryRun);
}

grpc::ServerUnaryReactor* ConflictDeskService::Analyze(grpc::CallbackServerContext* context,
                                                       const sync::v1::AnalyzeRequest* request,
                                                       sync::v1::AnalyzeResponse* response) {
  return Forward(context, request, response, &ConflictDesk::Analyze);
}

}  // namespace bdcsync::gateway
