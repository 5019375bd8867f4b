#include "services/gateway/grpc/event_store_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/hash.h"
#include "services/gateway/grpc/replicas_client.h"

namespace bdcsync::gateway {
namespace {

using event_store::v1::EventStoreService;

constexpr auto kReadSpace = [](auto& end, auto... call) {
  return end.ReadSpace(std::move(call)...);
};
constexpr auto kReadHeads = [](auto& end, auto... call) {
  return end.ReadHeads(std::move(call)...);
};
constexpr auto kGetSpaceHeads = [](auto& end, auto... call) {
  return end.GetSpaceHeads(std::move(call)...);
};
constexpr auto kGetStoreInfo = [](auto& end, auto... call) {
  return end.GetStoreInfo(std::move(call)...);
};

}  // namespace

struct EventStoreClient::State {
  State(const std::vector<rpc::Peer>& peers, absl::Duration timeout) : calls(peers, timeout) {}

  ReplicasClient<EventStoreService> calls;
  std::atomic<size_t> next{0};
};

EventStoreClient::EventStoreClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : state_(std::make_unique<State>(peers, timeout)) {}

EventStoreClient::~EventStoreClient() = default;

void EventStoreClient::ReadSpace(event_store::v1::ReadSpaceRequest request,
                                 Done<event_store::v1::ReadSpaceResponse> done) {
  const size_t replica = StableHash64(request.space()) % state_->calls.replicas();
  state_->calls.Call(replica, kReadSpace, std::move(request), std::move(done));
}

void EventStoreClient::ReadHeads(event_store::v1::ReadHeadsRequest request,
                                 Done<event_store::v1::ReadHeadsResponse> done) {
  const uint64_t hash = request.streams().empty() ? 0 : StableHash64(request.streams(0).space());
  const size_t replica = hash % state_->calls.replicas();
  state_->calls.Call(replica, kReadHeads, std::move(request), std::move(done));
}

void EventStoreClient::GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                                     Done<event_store::v1::GetSpaceHeadsResponse> done) {
  const size_t replica = state_->next.fetch_add(1) % state_->calls.replicas();
  state_->calls.Call(replica, kGetSpaceHeads, std::move(request), std::move(done));
}

void EventStoreClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = event_store::v1::GetStoreInfoResponse;
  const size_t replica = state_->next.fetch_add(1) % state_->calls.replicas();
  state_->calls.Call(
      replica, kGetStoreInfo, event_store::v1::GetStoreInfoRequest(),
      Done<Response>([done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
        done(answer.status());
      }));
}

void EventStoreClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
