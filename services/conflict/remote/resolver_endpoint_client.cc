#include "services/conflict/remote/resolver_endpoint_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "bdcsync/resolver/v1/resolver.grpc.pb.h"
#include "libs/rpc/unary.h"

namespace bdcsync::conflict {

using resolver::v1::ConflictResolverService;
using resolver::v1::ResolveRequest;
using resolver::v1::ResolveResponse;
using Async = ConflictResolverService::StubInterface::async_interface;

struct ResolverEndpointClient::Stub {
  std::unique_ptr<ConflictResolverService::Stub> stub;
};

ResolverEndpointClient::ResolverEndpointClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(new Stub{ConflictResolverService::NewStub(channel)}) {}

ResolverEndpointClient::~ResolverEndpointClient() = default;

void ResolverEndpointClient::Resolve(ResolveRequest request, absl::Duration timeout,
                                     Callback callback) {
  rpc::CallAsync<Async, ResolveRequest, ResolveResponse>(*stub_->stub->async(), &Async::Resolve,
                                                         std::move(request), {.timeout = timeout},
                                                         std::move(callback));
}

}  // namespace bdcsync::conflict
