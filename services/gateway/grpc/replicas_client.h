// Calls of a service with several replicas: one that cannot be reached is replaced by the next.
// Includes grpcpp: for .cc files of adapters. Thread-safe.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "libs/rpc/client.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {

template <typename Service>
class ReplicasClient {
 public:
  // One peer per replica, at least one. Every call ends within `timeout`.
  ReplicasClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout) {
    for (const rpc::Peer& peer : peers) replicas_.emplace_back(peer);
    options_.timeout = timeout;
  }

  size_t replicas() const { return replicas_.size(); }
  // Asks `replica` alone: for what must not be done twice.
  template <typename Method, typename Request, typename Response>
  void CallOnce(size_t replica, Method method, Request request, rpc::Done<Response> done) {
    replicas_[replica % replicas_.size()].Start(method, std::move(request), options_,
                                                std::move(done), &calls_);
  }
  // Asks `replica`, and the ones after it while they cannot be reached.
  template <typename Method, typename Request, typename Response>
  void Call(size_t replica, Method method, Request request, rpc::Done<Response> done,
            size_t attempt = 1) {
    if (attempt >= replicas_.size()) {
      CallOnce(replica, method, std::move(request), std::move(done));
      return;
    }
    Request copy = request;
    rpc::Done<Response> again = [this, replica, method, attempt, copy = std::move(copy),
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
  std::vector<rpc::Client<Service>> replicas_;
  rpc::CallOptions options_;
  GrpcCalls calls_;  // Last: ended before the clients go.
};

}  // namespace bdcsync::gateway
