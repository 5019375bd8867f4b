// What every method of GrpcAdapter does with a call. For the adapter's own files. Thread-safe.
#pragma once

#include <utility>

#include "absl/status/statusor.h"
#include "libs/base/errors.h"
#include "libs/rpc/unary.h"

namespace bdcsync::conflict {

inline grpc::ServerUnaryReactor* Starting(grpc::CallbackServerContext* context) {
  return rpc::FinishNow(context, MakeError(Reason::kUnavailable, "conflict is starting"));
}

// Fills `response` with the answer and finishes the call.
template <typename Response>
auto Into(Response* response, grpc::ServerUnaryReactor* reactor) {
  return [response, reactor](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = *std::move(answer);
    rpc::FinishWith(reactor, answer.status());
  };
}

}  // namespace bdcsync::conflict
