#include "services/version/resolver_client.h"

#include <grpcpp/channel.h>

#include <atomic>
#include <utility>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/rpc/unary.h"

namespace bdcsync::version {

using conflict::v1::ConflictService;
using conflict::v1::ResolveRequest;
using conflict::v1::ResolveResponse;
using Async = ConflictService::StubInterface::async_interface;

struct ResolverClient::Replicas {
  std::vector<std::unique_ptr<ConflictService::Stub>> stubs;
  absl::Duration timeout;
  std::atomic<size_t> turn{0};

  void Ask(ResolveRequest request, size_t first, size_t attempt, Callback callback) {
    Async& async = *stubs[(first + attempt) % stubs.size()]->async();
    const rpc::CallOptions options{.timeout = timeout};
    const bool last = attempt + 1 >= stubs.size();
    ResolveRequest copy;
    if (!last) copy = request;
    rpc::CallAsync<Async, ResolveRequest, ResolveResponse>(
        async, &Async::Resolve, std::move(request), options,
        [this, copy = std::move(copy), first, attempt, last,
         callback = std::move(callback)](absl::StatusOr<ResolveResponse> answer) mutable {
          if (last || !absl::IsUnavailable(answer.status())) {
            callback(std::move(answer));
          } else {
            Ask(std::move(copy), first, attempt + 1, std::move(callback));
          }
        });
  }
};

ResolverClient::ResolverClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               absl::Duration timeout)
    : replicas_(std::make_unique<Replicas>()) {
  replicas_->timeout = timeout;
  for (const auto& channel : channels) {
    replicas_->stubs.push_back(ConflictService::NewStub(channel));
  }
}

ResolverClient::~ResolverClient() = default;

void ResolverClient::Resolve(ResolveRequest request, Callback callback) {
  replicas_->Ask(std::move(request), replicas_->turn.fetch_add(1), 0, std::move(callback));
}

}  // namespace bdcsync::version
