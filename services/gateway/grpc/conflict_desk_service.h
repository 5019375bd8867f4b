// ConflictDeskService: the desk for backend services and the command line. Translates and decides
// nothing. Thread-safe.
#pragma once

#include <cstddef>

#include "bdcsync/sync/v1/desk.grpc.pb.h"
#include "services/gateway/grpc/gated_service.h"
#include "services/gateway/session/conflict_desk.h"

namespace bdcsync::gateway {

struct ConflictDeskDependencies {
  CallGate gate;
  ConflictDesk& desk;
  size_t json_depth_max = 64;  // Of values in choices.
};

class ConflictDeskService final : public sync::v1::ConflictDeskService::CallbackService {
 public:
  // Serves from now on; before, every call is UNAVAILABLE. What is referred to is borrowed until no
  // call is in flight.
  void Serve(const ConflictDeskDependencies* dependencies) { to_.Begin(dependencies); }
  // Refuses calls from now on, with UNAVAILABLE. Those in flight go on.
  void Stop() { to_.Stop(); }

  grpc::ServerUnaryReactor* ListConflicts(grpc::CallbackServerContext* context,
                                          const sync::v1::ListConflictsRequest* request,
                                          sync::v1::ListConflictsResponse* response) override;
  grpc::ServerUnaryReactor* GetConflict(grpc::CallbackServerContext* context,
                                        const sync::v1::GetConflictRequest* request,
                                        sync::v1::GetConflictResponse* response) override;
  grpc::ServerUnaryReactor* DecideConflicts(grpc::CallbackServerContext* context,
                                            const sync::v1::DecideConflictsRequest* request,
                                            sync::v1::DecideConflictsResponse* response) override;
  grpc::ServerUnaryReactor* AssignConflict(grpc::CallbackServerContext* context,
                                           const sync::v1::AssignConflictRequest* request,
                                           sync::v1::AssignConflictResponse* response) override;
  grpc::ServerUnaryReactor* CancelConflict(grpc::CallbackServerContext* context,
                                           const sync::v1::CancelConflictRequest* request,
                                           sync::v1::CancelConflictResponse* response) override;
  grpc::ServerUnaryReactor* UndoResolution(grpc::CallbackServerContext* context,
                                           const sync::v1::UndoResolutionRequest* request,
                                           sync::v1::UndoResolutionResponse* response) override;
  grpc::ServerUnaryReactor* ListResolutions(grpc::CallbackServerContext* context,
                                            const sync::v1::ListResolutionsRequest* request,
                                            sync::v1::ListResolutionsResponse* response) override;
  grpc::ServerUnaryReactor* PutRuleSet(grpc::CallbackServerContext* context,
                                       const sync::v1::PutRuleSetRequest* request,
                                       sync::v1::PutRuleSetResponse* response) override;
  grpc::ServerUnaryReactor* GetRuleSet(grpc::CallbackServerContext* context,
                                       const sync::v1::GetRuleSetRequest* request,
                                       sync::v1::GetRuleSetResponse* response) override;
  grpc::ServerUnaryReactor* ListRuleSets(grpc::CallbackServerContext* context,
                                         const sync::v1::ListRuleSetsRequest* request,
                                         sync::v1::ListRuleSetsResponse* response) override;
  grpc::ServerUnaryReactor* RemoveRuleSet(grpc::CallbackServerContext* context,
                                          const sync::v1::RemoveRuleSetRequest* request,
                                          sync::v1::RemoveRuleSetResponse* response) override;
  grpc::ServerUnaryReactor* DryRun(grpc::CallbackServerContext* context,
                                   const sync::v1::DryRunRequest* request,
                                   sync::v1::DryRunResponse* response) override;
  grpc::ServerUnaryReactor* Analyze(grpc::CallbackServerContext* context,
                                    const sync::v1::AnalyzeRequest* request,
                                    sync::v1::AnalyzeResponse* response) override;

 private:
  template <typename Request, typename Response>
  using Method = void (ConflictDesk::*)(ConflictDesk::CallerPtr, Request,
                                        ConflictDesk::Done<Response>);

  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Forward(grpc::CallbackServerContext* context, const Request* request,
                                    Response* response, Method<Request, Response> method);

  Served<ConflictDeskDependencies> to_;
};

}  // namespace bdcsync::gateway
