#include "services/version/conflict_desk_client.h"

#include <utility>

#include "services/version/grpc_conflict_replicas.h"

namespace bdcsync::version {
namespace {

constexpr auto kRecordFacts = [](auto& end, auto... call) {
  return end.RecordFacts(std::move(call)...);
};
constexpr auto kGetConflicts = [](auto& end, auto... call) {
  return end.GetConflicts(std::move(call)...);
};
constexpr auto kDecide = [](auto& end, auto... call) { return end.Decide(std::move(call)...); };
constexpr auto kPlanUndo = [](auto& end, auto... call) { return end.PlanUndo(std::move(call)...); };
constexpr auto kRecordUndone = [](auto& end, auto... call) {
  return end.RecordUndone(std::move(call)...);
};

}  // namespace

ConflictDeskClient::ConflictDeskClient(const std::vector<rpc::Peer>& peers, Timeouts timeouts)
    : replicas_(std::make_unique<ConflictReplicas>(peers)), timeouts_(timeouts) {}

ConflictDeskClient::~ConflictDeskClient() = default;

void ConflictDeskClient::RecordFacts(conflict::v1::RecordFactsRequest request,
                                     Callback<conflict::v1::RecordFactsResponse> callback) {
  replicas_->Ask(kRecordFacts, std::move(request), timeouts_.record_facts, std::move(callback));
}

void ConflictDeskClient::GetConflicts(conflict::v1::GetConflictsRequest request,
                                      Callback<conflict::v1::GetConflictsResponse> callback) {
  replicas_->Ask(kGetConflicts, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::Decide(conflict::v1::DecideRequest request,
                                Callback<conflict::v1::DecideResponse> callback) {
  replicas_->Ask(kDecide, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::PlanUndo(conflict::v1::PlanUndoRequest request,
                                  Callback<conflict::v1::PlanUndoResponse> callback) {
  replicas_->Ask(kPlanUndo, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::RecordUndone(conflict::v1::RecordUndoneRequest request,
                                      Callback<conflict::v1::RecordUndoneResponse> callback) {
  replicas_->Ask(kRecordUndone, std::move(request), timeouts_.answer, std::move(callback));
}

}  // namespace bdcsync::version
