// Calls of the gateway to other services that can all be ended: when Shutdown returns, no callback
// runs any more, so that what they refer to can go. Thread-safe.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/ongoing_call.h"

namespace bdcsync::gateway {

class GrpcCalls final : public rpc::CallTracker {
 public:
  GrpcCalls() = default;
  ~GrpcCalls() { Shutdown(); }
  GrpcCalls(const GrpcCalls&) = delete;
  GrpcCalls& operator=(const GrpcCalls&) = delete;

  // Cancels what is in flight and waits until every callback has run. Not from a callback. Calls
  // that begin later are refused.
  void Shutdown() {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (rpc::OngoingCall* call : calls_) call->TryCancel();
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
    mutex_.Await(absl::Condition(&ended));
  }

  bool Begin(rpc::OngoingCall& call) override {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) calls_.insert(&call);
    return !stopping_;
  }
  void End(rpc::OngoingCall& call) override {
    absl::MutexLock lock(&mutex_);
    calls_.erase(&call);
  }

 private:
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<rpc::OngoingCall*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::gateway
