// The replicas of conflict: they take turns, and when one cannot be reached the next is asked.
// Includes grpcpp: for adapters' .cc files only. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "libs/rpc/client.h"

namespace bdcsync::version {

class ConflictReplicas {
 public:
  explicit ConflictReplicas(const std::vector<rpc::Peer>& peers) {
    for (const rpc::Peer& peer : peers) clients_.emplace_back(peer);
  }

  // `timeout` is of one attempt. The replicas must outlive the call.
  template <typename Method, typename Request, typename Response>
  void Ask(Method method, Request request, absl::Duration timeout,
           absl::AnyInvocable<void(absl::StatusOr<Response>)> callback) {
    AskOne(method, {timeout, turn_.fetch_add(1), 0}, std::move(request), std::move(callback));
  }

 private:
  struct Attempt {
    absl::Duration timeout;
    size_t first;
    size_t number;
  };

  template <typename Method, typename Request, typename Response>
  void AskOne(Method method, Attempt attempt, Request request, rpc::Done<Response> callback) {
    const auto& client = clients_[(attempt.first + attempt.number) % clients_.size()];
    // A merge, a script, a query.
    const rpc::CallOptions options{.timeout = attempt.timeout, .may_take_long = true};
    if (++attempt.number >= clients_.size()) {
      client.Start(method, std::move(request), options, std::move(callback));
      return;
    }
    Request copy = request;
    rpc::Done<Response> again = [this, method, attempt, copy = std::move(copy),
                                 callback =
                                     std::move(callback)](absl::StatusOr<Response> answer) mutable {
      if (!absl::IsUnavailable(answer.status())) {
        callback(std::move(answer));
      } else {
        AskOne(method, attempt, std::move(copy), std::move(callback));
      }
    };
    client.Start(method, std::move(request), options, std::move(again));
  }

  std::vector<rpc::Client<conflict::v1::ConflictService>> clients_;
  std::atomic<size_t> turn_{0};
};

}  // namespace bdcsync::version
