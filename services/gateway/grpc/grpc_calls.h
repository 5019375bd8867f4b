// Calls of the gateway to other services that can all be ended: when Shutdown returns, no callback
// runs any more, so that what they refer to can go. Includes grpcpp: for .cc files of adapters.
// Thread-safe.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/status.h"

namespace bdcsync::gateway {

class GrpcCalls {
 public:
  ~GrpcCalls() { Shutdown(); }

  // Starts a call of `method` with `request`, which is owned by the call, or borrowed when it is a
  // pointer. `done` runs exactly once, on any thread, within the CallScope of the thread that
  // called; with CANCELLED after Shutdown.
  template <typename Async, typename Request, typename Response, typename Held>
  void Start(Async& async,
             void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                   std::function<void(grpc::Status)>),
             Held held, const rpc::CallOptions& options,
             absl::AnyInvocable<void(absl::StatusOr<Response>)> done) {
    struct Call {
      grpc::ClientContext context;
      Held held;
      Response response;
      absl::AnyInvocable<void(absl::StatusOr<Response>)> done;
      CallTrace trace;
    };
    // Shared because std::function must be copyable.
    auto call = std::make_shared<Call>();
    call->trace = CallScope::Current();
    rpc::PrepareCall(call->context, options);
    call->held = std::move(held);
    call->done = std::move(done);
    if (!Begin(&call->context)) {
      call->done(absl::CancelledError("the gateway is stopping"));
      return;
    }
    const Request* request;
    if constexpr (std::is_pointer_v<Held>) {
      request = call->held;
    } else {
      request = &call->held;
    }
    Call& borrowed = *call;
    (async.*method)(&borrowed.context, request, &borrowed.response,
                    [this, call = std::move(call)](const grpc::Status& status) {
                      const CallScope scope(std::move(call->trace));
                      if (status.ok()) {
                        call->done(std::move(call->response));
                      } else {
                        call->done(rpc::FromGrpc(status));
                      }
                      call->done = nullptr;  // Before the call counts as ended.
                      End(&call->context);
                    });
  }

  // Cancels what is in flight and waits until every callback has run. Not from a callback.
  void Shutdown() {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (grpc::ClientContext* context : contexts_) context->TryCancel();
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return contexts_.empty(); };
    mutex_.Await(absl::Condition(&ended));
  }

 private:
  bool Begin(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) contexts_.insert(context);
    return !stopping_;
  }
  void End(grpc::ClientContext* context) {
    absl::MutexLock lock(&mutex_);
    contexts_.erase(context);
  }

  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<grpc::ClientContext*> contexts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::gateway
