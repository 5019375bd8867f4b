// ConflictService over gRPC: translates calls and decides nothing. Thread-safe.
#pragma once

#include <atomic>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/rpc/server.h"
#include "services/conflict/conflict_desk.h"
#include "services/conflict/decider.h"
#include "services/conflict/desk_calls.h"
#include "services/conflict/record_desk.h"
#include "services/conflict/recorder.h"
#include "services/conflict/rule_set_registry.h"

namespace bdcsync::conflict {

class GrpcAdapter final : public v1::ConflictService::CallbackService {
 public:
  struct Domain {
    Decider& decider;
    Recorder& recorder;
    RuleSetRegistry& rule_sets;
    ConflictDesk& desk;
    RecordDesk& record_desk;
    DeskCalls& calls;  // Runs what blocks.
  };

  // Makes it a service of `server`, which must go first.
  void AddTo(rpc::Server& server);
  // From now on calls reach `domain`, which must outlive the last of them; UNAVAILABLE before.
  void Serve(Domain& domain) { domain_.store(&domain); }

  grpc::ServerUnaryReactor* Resolve(grpc::CallbackServerContext* context,
                                    const v1::ResolveRequest* request,
                                    v1::ResolveResponse* response) override;
  grpc::ServerUnaryReactor* ListResolutions(grpc::CallbackServerContext* context,
                                            const v1::ListResolutionsRequest* request,
                                            v1::ListResolutionsResponse* response) override;
  grpc::ServerUnaryReactor* Decide(grpc::CallbackServerContext* context,
                                   const v1::DecideRequest* request,
                                   v1::DecideResponse* response) override;
  grpc::ServerUnaryReactor* RecordFacts(grpc::CallbackServerContext* context,
                                        const v1::RecordFactsRequest* request,
                                        v1::RecordFactsResponse* response) override;
  grpc::ServerUnaryReactor* ListConflicts(grpc::CallbackServerContext* context,
                                          const v1::ListConflictsRequest* request,
                                          v1::ListConflictsResponse* response) override;
  grpc::ServerUnaryReactor* GetConflicts(grpc::CallbackServerContext* context,
                                         const v1::GetConflictsRequest* request,
                                         v1::GetConflictsResponse* response) override;
  grpc::ServerUnaryReactor* ListDue(grpc::CallbackServerContext* context,
                                    const v1::ListDueRequest* request,
                                    v1::ListDueResponse* response) override;
  grpc::ServerUnaryReactor* Assign(grpc::CallbackServerContext* context,
                                   const v1::AssignRequest* request,
                                   v1::AssignResponse* response) override;
  grpc::ServerUnaryReactor* PlanUndo(grpc::CallbackServerContext* context,
                                     const v1::PlanUndoRequest* request,
                                     v1::PlanUndoResponse* response) override;
  grpc::ServerUnaryReactor* RecordUndone(grpc::CallbackServerContext* context,
                                         const v1::RecordUndoneRequest* request,
                                         v1::RecordUndoneResponse* response) override;
  grpc::ServerUnaryReactor* DryRun(grpc::CallbackServerContext* context,
                                   const v1::DryRunRequest* request,
                                   v1::DryRunResponse* response) override;
  grpc::ServerUnaryReactor* Analyze(grpc::CallbackServerContext* context,
                                    const v1::AnalyzeRequest* request,
                                    v1::AnalyzeResponse* response) override;
  grpc::ServerUnaryReactor* PutRuleSet(grpc::CallbackServerContext* context,
                                       const v1::PutRuleSetRequest* request,
                                       v1::PutRuleSetResponse* response) override;
  grpc::ServerUnaryReactor* GetRuleSet(grpc::CallbackServerContext* context,
                                       const v1::GetRuleSetRequest* request,
                                       v1::GetRuleSetResponse* response) override;
  grpc::ServerUnaryReactor* ListRuleSets(grpc::CallbackServerContext* context,
                                         const v1::ListRuleSetsRequest* request,
                                         v1::ListRuleSetsResponse* response) override;
  grpc::ServerUnaryReactor* RemoveRuleSet(grpc::CallbackServerContext* context,
                                          const v1::RemoveRuleSetRequest* request,
                                          v1::RemoveRuleSetResponse* response) override;

 private:
  std::atomic<Domain*> domain_{nullptr};
};

}  // namespace bdcsync::conflict
