#include "services/version/resolver_client.h"

#include <utility>

#include "services/version/grpc_conflict_replicas.h"

namespace bdcsync::version {
namespace {

constexpr auto kResolve = [](auto& end, auto... call) { return end.Resolve(std::move(call)...); };

}  // namespace

ResolverClient::ResolverClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : replicas_(std::make_unique<ConflictReplicas>(peers)), timeout_(timeout) {}

ResolverClient::~ResolverClient() = default;

void ResolverClient::Resolve(conflict::v1::ResolveRequest request, Callback callback) {
  replicas_->Ask(kResolve, std::move(request), timeout_, std::move(callback));
}

}  // namespace bdcsync::version
