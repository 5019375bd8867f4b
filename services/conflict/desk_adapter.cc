// The desk's part of GrpcAdapter.
#include <utility>

#include "libs/rpc/unary.h"
#include "services/conflict/calls_adapter.h"
#include "services/conflict/grpc_adapter.h"

namespace bdcsync::conflict {

grpc::ServerUnaryReactor* GrpcAdapter::Decide(grpc::CallbackServerContext* context,
                                              const v1::DecideRequest* request,
                                              v1::DecideResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.Decide(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::RecordFacts(grpc::CallbackServerContext* context,
                                                   const v1::RecordFactsRequest* request,
                                                   v1::RecordFactsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.RecordFacts(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::ListConflicts(grpc::CallbackServerContext* context,
                                                     const v1::ListConflictsRequest* request,
                                                     v1::ListConflictsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.List(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::GetConflicts(grpc::CallbackServerContext* context,
                                                    const v1::GetConflictsRequest* request,
                                                    v1::GetConflictsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.Get(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::ListDue(grpc::CallbackServerContext* context,
                                               const v1::ListDueRequest* request,
                                               v1::ListDueResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.ListDue(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::Assign(grpc::CallbackServerContext* context,
                                              const v1::AssignRequest* request,
                                              v1::AssignResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->desk.Assign(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::PlanUndo(grpc::CallbackServerContext* context,
                                                const v1::PlanUndoRequest* request,
                                                v1::PlanUndoResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->record_desk.PlanUndo(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::RecordUndone(grpc::CallbackServerContext* context,
                                                    const v1::RecordUndoneRequest* request,
                                                    v1::RecordUndoneResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->record_desk.RecordUndone(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::DryRun(grpc::CallbackServerContext* context,
                                              const v1::DryRunRequest* request,
                                              v1::DryRunResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->record_desk.DryRun(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::Analyze(grpc::CallbackServerContext* context,
                                               const v1::AnalyzeRequest* request,
                                               v1::AnalyzeResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->record_desk.Analyze(*request, Into(response, reactor));
  return reactor;
}

}  // namespace bdcsync::conflict
