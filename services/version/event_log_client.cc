#include "services/version/event_log_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/hash.h"
#include "libs/rpc/unary.h"

namespace bdcsync::version {
namespace {

using event_store::v1::AppendRequest;
using event_store::v1::AppendResponse;
using event_store::v1::EventStoreService;
using event_store::v1::GetOperationsRequest;
using event_store::v1::GetOperationsResponse;
using event_store::v1::GetStoreInfoRequest;
using event_store::v1::GetStoreInfoResponse;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using event_store::v1::ReadStreamRequest;
using event_store::v1::ReadStreamResponse;
using Async = EventStoreService::StubInterface::async_interface;

template <typename Request, typename Response>
using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                               std::function<void(grpc::Status)>);

}  // namespace

struct EventLogClient::Replicas {
  std::vector<std::unique_ptr<EventStoreService::Stub>> stubs;
  absl::Duration timeout;

  size_t RouteOf(absl::string_view space) const {
    return stubs.size() == 1 ? 0 : StableHash64(space) % stubs.size();
  }

  // Calls replica `first`, and the ones after it while they cannot be reached.
  template <typename Request, typename Response>
  void Call(Method<Request, Response> method, Request request, size_t first,
            EventLog::Callback<Response> callback, size_t attempt = 0) {
    Async& async = *stubs[(first + attempt) % stubs.size()]->async();
    const rpc::CallOptions options{.timeout = timeout};
    if (attempt + 1 >= stubs.size()) {
      rpc::CallAsync(async, method, std::move(request), options, std::move(callback));
      return;
    }
    Request copy = request;
    rpc::CallAsync<Async, Request, Response>(
        async, method, std::move(request), options,
        [this, method, copy = std::move(copy), first, attempt,
         callback = std::move(callback)](absl::StatusOr<Response> answer) mutable {
          if (answer.ok() || !absl::IsUnavailable(answer.status())) {
            callback(std::move(answer));
          } else {
            Call<Request, Response>(method, std::move(copy), first, std::move(callback),
                                    attempt + 1);
          }
        });
  }
};

EventLogClient::EventLogClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               absl::Duration timeout)
    : replicas_(std::make_unique<Replicas>()) {
  replicas_->timeout = timeout;
  for (const auto& channel : channels) {
    replicas_->stubs.push_back(EventStoreService::NewStub(channel));
  }
}

EventLogClient::~EventLogClient() = default;

void EventLogClient::Append(AppendRequest request, Callback<AppendResponse> callback) {
  const size_t route =
      request.items().empty() ? 0 : replicas_->RouteOf(request.items(0).stream().space());
  replicas_->Call<AppendRequest, AppendResponse>(&Async::Append, std::move(request), route,
                                                 std::move(callback));
}

void EventLogClient::ReadHeads(ReadHeadsRequest request, Callback<ReadHeadsResponse> callback) {
  const size_t route =
      request.streams().empty() ? 0 : replicas_->RouteOf(request.streams(0).space());
  replicas_->Call<ReadHeadsRequest, ReadHeadsResponse>(&Async::ReadHeads, std::move(request), route,
                                                       std::move(callback));
}

void EventLogClient::ReadStream(ReadStreamRequest request, Callback<ReadStreamResponse> callback) {
  const size_t route = replicas_->RouteOf(request.stream().space());
  replicas_->Call<ReadStreamRequest, ReadStreamResponse>(&Async::ReadStream, std::move(request),
                                                         route, std::move(callback));
}

void EventLogClient::GetOperations(GetOperationsRequest request,
                                   Callback<GetOperationsResponse> callback) {
  const size_t route =
      request.operations().empty() ? 0 : replicas_->RouteOf(request.operations(0).space());
  replicas_->Call<GetOperationsRequest, GetOperationsResponse>(
      &Async::GetOperations, std::move(request), route, std::move(callback));
}

void EventLogClient::Ping(absl::AnyInvocable<void(absl::Status)> answer) {
  replicas_->Call<GetStoreInfoRequest, GetStoreInfoResponse>(
      &Async::GetStoreInfo, GetStoreInfoRequest(), 0,
      [answer = std::move(answer)](absl::StatusOr<GetStoreInfoResponse> info) mutable {
        answer(info.status());
      });
}

}  // namespace bdcsync::version
