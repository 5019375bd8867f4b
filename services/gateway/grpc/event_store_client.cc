#include "services/gateway/grpc/event_store_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/hash.h"
#include "libs/rpc/client.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {
namespace {

using event_store::v1::EventStoreService;

constexpr auto kReadSpace = [](auto& end, auto... call) {
  return end.ReadSpace(std::move(call)...);
};
constexpr auto kGetSpaceHeads = [](auto& end, auto... call) {
  return end.GetSpaceHeads(std::move(call)...);
};

}  // namespace

struct EventStoreClient::State {
  std::vector<rpc::Client<EventStoreService>> replicas;
  rpc::CallOptions options;
  std::atomic<size_t> next{0};
  GrpcCalls calls;  // Last: ended before the clients go.

  // Asks `replica`, and the ones after it while they cannot be reached.
  template <typename Method, typename Request, typename Response>
  void Call(size_t replica, Method method, Request request, Done<Response> done,
            size_t attempt = 1) {
    const auto& client = replicas[replica % replicas.size()];
    if (attempt >= replicas.size()) {
      client.Start(method, std::move(request), options, std::move(done), &calls);
      return;
    }
    Request copy = request;
    Done<Response> again = [this, replica, method, attempt, copy = std::move(copy),
                            done = std::move(done)](absl::StatusOr<Response> answer) mutable {
      if (absl::IsUnavailable(answer.status())) {
        Call(replica + 1, method, std::move(copy), std::move(done), attempt + 1);
      } else {
        done(std::move(answer));
      }
    };
    client.Start(method, std::move(request), options, std::move(again), &calls);
  }
};

EventStoreClient::EventStoreClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : state_(std::make_unique<State>()) {
  for (const rpc::Peer& peer : peers) state_->replicas.emplace_back(peer);
  state_->options.timeout = timeout;
}

EventStoreClient::~EventStoreClient() = default;

void EventStoreClient::ReadSpace(event_store::v1::ReadSpaceRequest request,
                                 Done<event_store::v1::ReadSpaceResponse> done) {
  const size_t replica = StableHash64(request.space()) % state_->replicas.size();
  state_->Call(replica, kReadSpace, std::move(request), std::move(done));
}

void EventStoreClient::GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                                     Done<event_store::v1::GetSpaceHeadsResponse> done) {
  const size_t replica = state_->next.fetch_add(1) % state_->replicas.size();
  state_->Call(replica, kGetSpaceHeads, std::move(request), std::move(done));
}

void EventStoreClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = event_store::v1::GetSpaceHeadsResponse;
  GetSpaceHeads({}, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void EventStoreClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
