#include "services/version/resolver_client.h"

#include <utility>

#include "services/version/conflict_replicas.h"

namespace bdcsync::version {

using conflict::v1::ResolveRequest;
using conflict::v1::ResolveResponse;

ResolverClient::ResolverClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               absl::Duration timeout)
    : replicas_(std::make_unique<ConflictReplicas>(channels)), timeout_(timeout) {}

ResolverClient::~ResolverClient() = default;

void ResolverClient::Resolve(ResolveRequest request, Callback callback) {
  replicas_->Ask<ResolveRequest, ResolveResponse>(
      &ConflictReplicas::Async::Resolve, std::move(request), timeout_, std::move(callback));
}

}  // namespace bdcsync::version
