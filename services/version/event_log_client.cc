#include "services/version/event_log_client.h"

#include <utility>

#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/hash.h"
#include "libs/rpc/client.h"

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

constexpr auto kAppend = [](auto& end, auto... call) { return end.Append(std::move(call)...); };
constexpr auto kReadHeads = [](auto& end, auto... call) {
  return end.ReadHeads(std::move(call)...);
};
constexpr auto kReadStream = [](auto& end, auto... call) {
  return end.ReadStream(std::move(call)...);
};
constexpr auto kGetOperations = [](auto& end, auto... call) {
  return end.GetOperations(std::move(call)...);
};
constexpr auto kGetStoreInfo = [](auto& end, auto... call) {
  return end.GetStoreInfo(std::move(call)...);
};

}  // namespace

struct EventLogClient::Replicas {
  std::vector<rpc::Client<EventStoreService>> clients;
  absl::Duration timeout;

  size_t RouteOf(absl::string_view space) const {
    return clients.size() == 1 ? 0 : StableHash64(space) % clients.size();
  }

  // Calls replica `first`, and the ones after it while they cannot be reached.
  template <typename Method, typename Request, typename Response>
  void Call(Method method, Request request, size_t first, EventLog::Callback<Response> callback,
            size_t attempt = 0) {
    const rpc::CallOptions options{.timeout = timeout};
    const auto& client = clients[(first + attempt) % clients.size()];
    if (attempt + 1 >= clients.size()) {
      client.Start(method, std::move(request), options, std::move(callback));
      return;
    }
    Request copy = request;
    EventLog::Callback<Response> again =
        [this, method, copy = std::move(copy), first, attempt,
         callback = std::move(callback)](absl::StatusOr<Response> answer) mutable {
          if (answer.ok() || !absl::IsUnavailable(answer.status())) {
            callback(std::move(answer));
          } else {
            Call(method, std::move(copy), first, std::move(callback), attempt + 1);
          }
        };
    client.Start(method, std::move(request), options, std::move(again));
  }
};

EventLogClient::EventLogClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : replicas_(std::make_unique<Replicas>()) {
  replicas_->timeout = timeout;
  for (const rpc::Peer& peer : peers) replicas_->clients.emplace_back(peer);
}

EventLogClient::~EventLogClient() = default;

void EventLogClient::Append(AppendRequest request, Callback<AppendResponse> callback) {
  const size_t route =
      request.items().empty() ? 0 : replicas_->RouteOf(request.items(0).stream().space());
  replicas_->Call(kAppend, std::move(request), route, std::move(callback));
}

void EventLogClient::ReadHeads(ReadHeadsRequest request, Callback<ReadHeadsResponse> callback) {
  const size_t route =
      request.streams().empty() ? 0 : replicas_->RouteOf(request.streams(0).space());
  replicas_->Call(kReadHeads, std::move(request), route, std::move(callback));
}

void EventLogClient::ReadStream(ReadStreamRequest request, Callback<ReadStreamResponse> callback) {
  const size_t route = replicas_->RouteOf(request.stream().space());
  replicas_->Call(kReadStream, std::move(request), route, std::move(callback));
}

void EventLogClient::GetOperations(GetOperationsRequest request,
                                   Callback<GetOperationsResponse> callback) {
  const size_t route =
      request.operations().empty() ? 0 : replicas_->RouteOf(request.operations(0).space());
  replicas_->Call(kGetOperations, std::move(request), route, std::move(callback));
}

void EventLogClient::Ping(absl::AnyInvocable<void(absl::Status)> answer) {
  replicas_->Call(
      kGetStoreInfo, GetStoreInfoRequest(), 0,
      Callback<GetStoreInfoResponse>(
          [answer = std::move(answer)](absl::StatusOr<GetStoreInfoResponse> info) mutable {
            answer(info.status());
          }));
}

}  // namespace bdcsync::version
