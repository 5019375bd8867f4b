#include "services/gateway/grpc/event_store_client.h"

#include <grpcpp/channel.h>

#include <atomic>
#include <utility>

#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/hash.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {
namespace {

using event_store::v1::EventStoreService;
using Async = EventStoreService::StubInterface::async_interface;

}  // namespace

struct EventStoreClient::State {
  std::vector<std::unique_ptr<EventStoreService::Stub>> stubs;
  rpc::CallOptions options;
  std::atomic<size_t> next{0};
  GrpcCalls calls;  // Last: ended before the stubs go.

  // Asks `replica`, and the ones after it while they cannot be reached.
  template <typename Request, typename Response>
  void Call(size_t replica,
            void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>),
            Request request, Done<Response> done, size_t attempt = 1) {
    Async& async = *stubs[replica % stubs.size()]->async();
    if (attempt >= stubs.size()) {
      calls.Start(async, method, std::move(request), options, std::move(done));
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
    calls.Start(async, method, std::move(request), options, std::move(again));
  }
};

EventStoreClient::EventStoreClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                   absl::Duration timeout)
    : state_(std::make_unique<State>()) {
  for (const auto& channel : channels) state_->stubs.push_back(EventStoreService::NewStub(channel));
  state_->options.timeout = timeout;
}

EventStoreClient::~EventStoreClient() = default;

void EventStoreClient::ReadSpace(event_store::v1::ReadSpaceRequest request,
                                 Done<event_store::v1::ReadSpaceResponse> done) {
  const size_t replica = StableHash64(request.space()) % state_->stubs.size();
  state_->Call(replica, &Async::ReadSpace, std::move(request), std::move(done));
}

void EventStoreClient::GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                                     Done<event_store::v1::GetSpaceHeadsResponse> done) {
  const size_t replica = state_->next.fetch_add(1) % state_->stubs.size();
  state_->Call(replica, &Async::GetSpaceHeads, std::move(request), std::move(done));
}

void EventStoreClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = event_store::v1::GetSpaceHeadsResponse;
  GetSpaceHeads({}, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void EventStoreClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
