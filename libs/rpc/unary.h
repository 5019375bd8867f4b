// Both ends of a unary call with gRPC's callback API, so that adapters hold only translation.
// Includes grpcpp: for adapters' .cc files only. Thread-safe: functions only.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/errors.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/status.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::rpc {

// Starts a call and returns at once. `done` runs exactly once, on a gRPC thread, within the
// CallScope of the thread that called, and must not block. `async` is borrowed until then. Usage,
// with a generated stub:
//   CallAsync(*stub->async(), &EventStoreService::StubInterface::async_interface::Append,
//             std::move(request), options, [](absl::StatusOr<AppendResponse> response) {…});
template <typename Async, typename Request, typename Response, typename Target>
void CallAsync(Target& async,
               void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                     std::function<void(grpc::Status)>),
               Request request, const CallOptions& options,
               std::type_identity_t<absl::AnyInvocable<void(absl::StatusOr<Response>)>> done) {
  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
    absl::AnyInvocable<void(absl::StatusOr<Response>)> done;
    CallTrace trace;
  };
  // Shared because std::function must be copyable; freed when gRPC drops the callback.
  auto call = std::make_shared<Call>();
  call->trace = CallScope::Current();
  PrepareCall(call->context, options);
  call->request = std::move(request);
  call->done = std::move(done);
  Call& borrowed = *call;
  (async.*method)(&borrowed.context, &borrowed.request, &borrowed.response,
                  [call = std::move(call)](const grpc::Status& status) {
                    const CallScope scope(std::move(call->trace));
                    if (status.ok()) {
                      call->done(std::move(call->response));
                    } else {
                      call->done(FromGrpc(status));
                    }
                  });
}

// Makes the call and waits for its answer: for start-up, tests and worker threads, never on a gRPC
// thread. `stub` is the generated one, `method` the blocking call:
//   Call(*stub, &EventStoreService::StubInterface::GetStoreInfo, request, options)
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request, const CallOptions& options) {
  grpc::ClientContext context;
  PrepareCall(context, options);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

// Answers a call with `status`.
inline void FinishWith(grpc::ServerUnaryReactor* reactor, const absl::Status& status) {
  reactor->Finish(status.ok() ? grpc::Status() : ToGrpc(status));
}

// Answers a call at once: `return FinishNow(context, status);`.
inline grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext* context,
                                           const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  FinishWith(reactor, status);
  return reactor;
}

// Runs `handle` (which may block, fill the response and returns absl::Status) on `pool` and answers
// with its result; with kUnavailable when the pool is full. What `handle` borrows from the call
// (context, request, response) lives until then.
template <typename Handle>
grpc::ServerUnaryReactor* HandleOnPool(grpc::CallbackServerContext* context, WorkerPool& pool,
                                       Handle handle) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const bool queued = pool.Submit(
      [reactor, handle = std::move(handle)]() mutable { FinishWith(reactor, handle()); });
  if (!queued) {
    FinishWith(reactor, MakeError(Reason::kUnavailable, "too many requests wait for a worker"));
  }
  return reactor;
}

}  // namespace bdcsync::rpc
