#include "services/conflict/grpc_adapter.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/unary.h"

namespace bdcsync::conflict {
namespace {

grpc::ServerUnaryReactor* Starting(grpc::CallbackServerContext* context) {
  return rpc::FinishNow(context, MakeError(Reason::kUnavailable, "conflict is starting"));
}

// Fills `response` with the answer and finishes the call.
template <typename Response>
auto Into(Response* response, grpc::ServerUnaryReactor* reactor) {
  return [response, reactor](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = *std::move(answer);
    rpc::FinishWith(reactor, answer.status());
  };
}

}  // namespace

grpc::ServerUnaryReactor* GrpcAdapter::Resolve(grpc::CallbackServerContext* context,
                                               const v1::ResolveRequest* request,
                                               v1::ResolveResponse* response) {
  Domain* const domain = domain_.load();
  if (domain == nullptr) return Starting(context);
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

}  // namespace bdcsync::conflict
