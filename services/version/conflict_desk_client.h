// The desk of the conflict service over gRPC; replicas take turns, and when one cannot be reached
// the next is asked. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/version/conflict_desk.h"

namespace bdcsync::version {

class ConflictReplicas;

class ConflictDeskClient final : public ConflictDesk {
 public:
  // Each of one attempt.
  struct Timeouts {
    absl::Duration answer;
    absl::Duration record_facts;
  };

  // At least one peer, one for each replica.
  ConflictDeskClient(const std::vector<rpc::Peer>& peers, Timeouts timeouts);
  ~ConflictDeskClient() override;

  void RecordFacts(conflict::v1::RecordFactsRequest request,
                   Callback<conflict::v1::RecordFactsResponse> callback) override;
  void GetConflicts(conflict::v1::GetConflictsRequest request,
                    Callback<conflict::v1::GetConflictsResponse> callback) override;
  void Decide(conflict::v1::DecideRequest request,
              Callback<conflict::v1::DecideResponse> callback) override;
  void PlanUndo(conflict::v1::PlanUndoRequest request,
                Callback<conflict::v1::PlanUndoResponse> callback) override;
  void RecordUndone(conflict::v1::RecordUndoneRequest request,
                    Callback<conflict::v1::RecordUndoneResponse> callback) override;

 private:
  const std::unique_ptr<ConflictReplicas> replicas_;
  const Timeouts timeouts_;
};

}  // namespace bdcsync::version
