#include "services/conflict/grpc_adapter.h"

#include <utility>

#include "libs/base/call_trace.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "services/conflict/calls_adapter.h"

namespace bdcsync::conflict {
namespace {

// Asks the registry on a worker. The request lives until the call is finished.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* AskRegistry(
    GrpcAdapter::Domain* domain, grpc::CallbackServerContext* context, const Request* request,
    Response* response, absl::StatusOr<Response> (RuleSetRegistry::*ask)(const Request&)) {
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->calls.Run<Response>([domain, request, ask] { return (domain->rule_sets.*ask)(*request); },
                              Into(response, reactor));
  return reactor;
}

}  // namespace

void GrpcAdapter::AddTo(rpc::Server& server) {
  server.AddService(this, rpc::Audience::kSuite);
  rpc::ServeOnStreams<v1::ConflictService>(
      server, &GrpcAdapter::Resolve, &GrpcAdapter::ListResolutions, &GrpcAdapter::Decide,
      &GrpcAdapter::RecordFacts, &GrpcAdapter::ListConflicts, &GrpcAdapter::GetConflicts,
      &GrpcAdapter::ListDue, &GrpcAdapter::Assign, &GrpcAdapter::PlanUndo,
      &GrpcAdapter::RecordUndone, &GrpcAdapter::DryRun, &GrpcAdapter::Analyze,
      &GrpcAdapter::PutRuleSet, &GrpcAdapter::GetRuleSet, &GrpcAdapter::ListRuleSets,
      &GrpcAdapter::RemoveRuleSet);
}

grpc::ServerUnaryReactor* GrpcAdapter::Resolve(grpc::CallbackServerContext* context,
                                               const v1::ResolveRequest* request,
                                               v1::ResolveResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  const CallScope scope(rpc::TraceOf(*context));
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->decider.Resolve(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::ListResolutions(grpc::CallbackServerContext* context,
                                                       const v1::ListResolutionsRequest* request,
                                                       v1::ListResolutionsResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  domain->recorder.List(*request, Into(response, reactor));
  return reactor;
}

grpc::ServerUnaryReactor* GrpcAdapter::PutRuleSet(grpc::CallbackServerContext* context,
                                                  const v1::PutRuleSetRequest* request,
                                                  v1::PutRuleSetResponse* response) {
  return AskRegistry(domain_.load(), context, request, response, &RuleSetRegistry::Put);
}

grpc::ServerUnaryReactor* GrpcAdapter::GetRuleSet(grpc::CallbackServerContext* context,
                                                  const v1::GetRuleSetRequest* request,
                                                  v1::GetRuleSetResponse* response) {
  return AskRegistry(domain_.load(), context, request, response, &RuleSetRegistry::Get);
}

grpc::ServerUnaryReactor* GrpcAdapter::ListRuleSets(grpc::CallbackServerContext* context,
                                                    const v1::ListRuleSetsRequest* request,
                                                    v1::ListRuleSetsResponse* response) {
  return AskRegistry(domain_.load(), context, request, response, &RuleSetRegistry::List);
}

grpc::ServerUnaryReactor* GrpcAdapter::RemoveRuleSet(grpc::CallbackServerContext* context,
                                                     const v1::RemoveRuleSetRequest* request,
                                                     v1::RemoveRuleSetResponse* response) {
  return AskRegistry(domain_.load(), context, request, response, &RuleSetRegistry::Remove);
}

}  // namespace bdcsync::conflict
