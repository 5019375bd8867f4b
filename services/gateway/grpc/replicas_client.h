// Calls of a service with several replicas: one that cannot be reached is replaced by the next.
// Includes grpcpp: for .cc files of adapters. Thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/rpc/client.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {

template <typename Service>
class ReplicasClient {
 public:
  // One peer per replica, at least one. Every call ends within `timeout`, however many it asks.
  ReplicasClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout) {
    for (const rpc::Peer& peer : peers) replicas_.emplace_back(peer);
    options_.timeout = timeout;
  }

  size_t replicas() const { return replicas_.size(); }
  // Asks `replica` alone: for what must not be done twice.
  template <typename Method, typename Request, typename Response>
  void CallOnce(size_t replica, Method method, Request request, rpc::Done<Response> done) {
    Start(replica, options_.timeout, method, std::move(request), std::move(done));
  }
  // Asks `replica`, and the ones after it while they cannot be reached. `request` is a message, or
  // a shared_ptr to one, as for rpc::Client.
  template <typename Method, typename Request, typename Response>
  void Call(size_t replica, Method method, Request request, rpc::Done<Response> done) {
    CallFor(options_.timeout, replica, method, std::move(request), std::move(done));
  }
  // The same, but it ends within `timeout`, or that of all calls if it is longer.
  template <typename Method, typename Request, typename Response>
  void CallFor(absl::Duration timeout, size_t replica, Method method, Request request,
               rpc::Done<Response> done) {
    timeout = std::max(timeout, options_.timeout);
    if (replicas_.size() == 1) {
      Start(0, timeout, method, std::move(request), std::move(done));
    } else {
      Ask({replica, 1, Now() + timeout}, method, std::move(request), std::move(done));
    }
  }
  // Ends all calls; returns when no callback runs any more.
  void Shutdown() { calls_.Shutdown(); }

 private:
  struct Attempt {
    size_t replica;
    size_t number;  // From 1.
    absl::Duration not_after;
  };

  static absl::Duration Now() { return SystemClock().Monotonic(); }
  template <typename Method, typename Request, typename Response>
  void Start(size_t replica, absl::Duration timeout, Method method, Request request,
             rpc::Done<Response> done) {
    rpc::CallOptions options = options_;
    options.timeout = timeout;
    replicas_[replica % replicas_.size()].Start(method, std::move(request), options,
                                                std::move(done), &calls_);
  }
  template <typename Method, typename Request, typename Response>
  void Ask(Attempt attempt, Method method, Request request, rpc::Done<Response> done) {
    const absl::Duration left = attempt.not_after - Now();
    if (attempt.number >= replicas_.size()) {
      Start(attempt.replica, left, method, std::move(request), std::move(done));
      return;
    }
    Request copy = request;
    rpc::Done<Response> again = [this, attempt, method, copy = std::move(copy),
                                 done = std::move(done)](absl::StatusOr<Response> answer) mutable {
      if (absl::IsUnavailable(answer.status())) {
        Ask({attempt.replica + 1, attempt.number + 1, attempt.not_after}, method, std::move(copy),
            std::move(done));
      } else {
        done(std::move(answer));
      }
    };
    Start(attempt.replica, left, method, std::move(request), std::move(again));
  }

  std::vector<rpc::Client<Service>> replicas_;
  rpc::CallOptions options_;
  GrpcCalls calls_;  // Last: ended before the clients go.
};

}  // namespace bdcsync::gateway
