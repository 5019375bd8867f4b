#include "services/version/resolver_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/rpc/client.h"

namespace bdcsync::version {

using conflict::v1::ConflictService;
using conflict::v1::ResolveRequest;
using conflict::v1::ResolveResponse;

namespace {

constexpr auto kResolve = [](auto& end, auto... call) { return end.Resolve(std::move(call)...); };

}  // namespace

struct ResolverClient::Replicas {
  std::vector<rpc::Client<ConflictService>> clients;
  rpc::CallOptions options;
  std::atomic<size_t> turn{0};

  void Ask(ResolveRequest request, size_t first, size_t attempt, Callback callback) {
    const auto& client = clients[(first + attempt) % clients.size()];
    if (attempt + 1 >= clients.size()) {
      client.Start(kResolve, std::move(request), options, std::move(callback));
      return;
    }
    ResolveRequest copy = request;
    Callback again = [this, copy = std::move(copy), first, attempt, callback = std::move(callback)](
                         absl::StatusOr<ResolveResponse> answer) mutable {
      if (!absl::IsUnavailable(answer.status())) {
        callback(std::move(answer));
      } else {
        Ask(std::move(copy), first, attempt + 1, std::move(callback));
      }
    };
    client.Start(kResolve, std::move(request), options, std::move(again));
  }
};

ResolverClient::ResolverClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : replicas_(std::make_unique<Replicas>()) {
  replicas_->options = {.timeout = timeout, .may_take_long = true};  // A merge, or a script.
  for (const rpc::Peer& peer : peers) replicas_->clients.emplace_back(peer);
}

ResolverClient::~ResolverClient() = default;

void ResolverClient::Resolve(ResolveRequest request, Callback callback) {
  replicas_->Ask(std::move(request), replicas_->turn.fetch_add(1), 0, std::move(callback));
}

}  // namespace bdcsync::version
