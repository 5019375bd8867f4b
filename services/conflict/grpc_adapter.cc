#include "services/conflict/grpc_adapter.h"

#include <utility>

#include "libs/rpc/unary.h"
#include "services/conflict/calls_adapter.h"

namespace bdcsync::conflict {
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
