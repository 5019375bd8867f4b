// Calls of a service with several replicas: one that cannot be reached is replaced by the next.
// Includes grpcpp: for .cc files of adapters. Thread-safe.
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {

template <typename Service>
class ReplicaCalls {
 public:
  using Async = typename Service::StubInterface::async_interface;
  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;
  template <typename Request, typename Response>
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);

  // One channel per replica, at least one. Every call ends within `timeout`.
  ReplicaCalls(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
               absl::Duration timeout) {
    for (const auto& channel : channels) stubs_.push_back(Service::NewStub(channel));
    options_.timeout = timeout;
  }

  size_t replicas() const { return stubs_.size(); }
  // Asks `replica` alone: for what must not be done twice.
  template <typename Request, typename Response>
  void CallOnce(size_t replica, Method<Request, Response> method, Request request,
                Done<Response> done) {
    Async& async = *stubs_[replica % stubs_.size()]->async();
    calls_.Start(async, method, std::move(request), options_, std::move(done));
  }
  // Asks `replica`, and the ones after it while they cannot be reached.
  template <typename Request, typename Response>
  void Call(size_t replica, Method<Request, Response> method, Request request, Done<Response> done,
            size_t attempt = 1) {
    if (attempt >= stubs_.size()) {
      CallOnce(replica, method, std::move(request), std::move(done));
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
    CallOnce(replica, method, std::move(request), std::move(again));
  }
  // Ends all calls; returns when no callback runs any more.
  void Shutdown() { calls_.Shutdown(); }

 private:
  std::vector<std::unique_ptr<typename Service::Stub>> stubs_;
  rpc::CallOptions options_;
  GrpcCalls calls_;  // Last: ended before the stubs go.
};

}  // namespace bdcsync::gateway
