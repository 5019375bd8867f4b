#include "services/conflict/remote/resolver_endpoint_client.h"

#include <utility>

#include "bdcsync/resolver/v1/resolver.grpc.pb.h"
#include "libs/rpc/client.h"

namespace bdcsync::conflict {
namespace {

constexpr auto kResolve = [](auto& end, auto... call) { return end.Resolve(std::move(call)...); };

}  // namespace

struct ResolverEndpointClient::Client {
  rpc::Client<resolver::v1::ConflictResolverService> calls;
};

ResolverEndpointClient::ResolverEndpointClient(std::shared_ptr<grpc::Channel> channel)
    : client_(new Client{
          rpc::Client<resolver::v1::ConflictResolverService>({.channel = std::move(channel)})}) {}

ResolverEndpointClient::~ResolverEndpointClient() = default;

void ResolverEndpointClient::Resolve(resolver::v1::ResolveRequest request, absl::Duration timeout,
                                     Callback callback) {
  client_->calls.Start(kResolve, std::move(request), {.timeout = timeout}, std::move(callback));
}

}  // namespace bdcsync::conflict
