// How a service answers a unary call of gRPC's callback API, so that adapters hold only
// translation, and a call that waits; client.h makes all others. Includes grpcpp: for adapters' .cc
// files only. Thread-safe: functions only.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/base/errors.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/status.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::rpc {

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
