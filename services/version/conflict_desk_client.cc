#include "services/version/conflict_desk_client.h"

#include <utility>

#include "services/version/conflict_replicas.h"

namespace bdcsync::version {

using Async = ConflictReplicas::Async;

ConflictDeskClient::ConflictDeskClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                       Timeouts timeouts)
    : replicas_(std::make_unique<ConflictReplicas>(channels)), timeouts_(timeouts) {}

ConflictDeskClient::~ConflictDeskClient() = default;

void ConflictDeskClient::RecordFacts(conflict::v1::RecordFactsRequest request,
                                     Callback<conflict::v1::RecordFactsResponse> callback) {
  replicas_->Ask<conflict::v1::RecordFactsRequest, conflict::v1::RecordFactsResponse>(
      &Async::RecordFacts, std::move(request), timeouts_.record_facts, std::move(callback));
}

void ConflictDeskClient::GetConflicts(conflict::v1::GetConflictsRequest request,
                                      Callback<conflict::v1::GetConflictsResponse> callback) {
  replicas_->Ask<conflict::v1::GetConflictsRequest, conflict::v1::GetConflictsResponse>(
      &Async::GetConflicts, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::Decide(conflict::v1::DecideRequest request,
                                Callback<conflict::v1::DecideResponse> callback) {
  replicas_->Ask<conflict::v1::DecideRequest, conflict::v1::DecideResponse>(
      &Async::Decide, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::PlanUndo(conflict::v1::PlanUndoRequest request,
                                  Callback<conflict::v1::PlanUndoResponse> callback) {
  replicas_->Ask<conflict::v1::PlanUndoRequest, conflict::v1::PlanUndoResponse>(
      &Async::PlanUndo, std::move(request), timeouts_.answer, std::move(callback));
}

void ConflictDeskClient::RecordUndone(conflict::v1::RecordUndoneRequest request,
                                      Callback<conflict::v1::RecordUndoneResponse> callback) {
  replicas_->Ask<conflict::v1::RecordUndoneRequest, conflict::v1::RecordUndoneResponse>(
      &Async::RecordUndone, std::move(request), timeouts_.answer, std::move(callback));
}

}  // namespace bdcsync::version
