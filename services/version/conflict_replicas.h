// The replicas of conflict: they take turns, and when one cannot be reached the next is asked.
// Includes grpcpp: for adapters' .cc files only. Thread-safe.
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/rpc/unary.h"

namespace bdcsync::version {

class ConflictReplicas {
 public:
  using Async = conflict::v1::ConflictService::StubInterface::async_interface;
  template <typename Request, typename Response>
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);
  template <typename Response>
  using Callback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  explicit ConflictReplicas(const std::vector<std::shared_ptr<grpc::Channel>>& channels) {
    for (const auto& channel : channels) {
      stubs_.push_back(conflict::v1::ConflictService::NewStub(channel));
    }
  }

  // `timeout` is of one attempt. The replicas must outlive the call.
  template <typename Request, typename Response>
  void Ask(Method<Request, Response> method, Request request, absl::Duration timeout,
           Callback<Response> callback) {
    AskOne<Request, Response>({method, timeout, turn_.fetch_add(1), 0}, std::move(request),
                              std::move(callback));
  }

 private:
  template <typename Request, typename Response>
  struct Call {
    Method<Request, Response> method;
    absl::Duration timeout;
    size_t first;
    size_t attempt;
  };

  template <typename Request, typename Response>
  void AskOne(Call<Request, Response> call, Request request, Callback<Response> callback) {
    Async& async = *stubs_[(call.first + call.attempt) % stubs_.size()]->async();
    const rpc::CallOptions options{.timeout = call.timeout};
    const bool last = call.attempt + 1 >= stubs_.size();
    Request copy;
    if (!last) copy = request;
    rpc::CallAsync<Async, Request, Response>(
        async, call.method, std::move(request), options,
        [this, copy = std::move(copy), call, last,
         callback = std::move(callback)](absl::StatusOr<Response> answer) mutable {
          if (last || !absl::IsUnavailable(answer.status())) {
            callback(std::move(answer));
          } else {
            ++call.attempt;
            AskOne<Request, Response>(call, std::move(copy), std::move(callback));
          }
        });
  }

  std::vector<std::unique_ptr<conflict::v1::ConflictService::Stub>> stubs_;
  std::atomic<size_t> turn_{0};
};

}  // namespace bdcsync::version
