// What a service is told about a call that came without a channel. Includes grpcpp: for .cc files
// of libs/rpc only. Immutable.
#pragma once

#include <grpcpp/server_context.h>

#include <utility>

#include "libs/base/call_trace.h"

namespace bdcsync::rpc {

// deadline.h reads the trace; a handler sees no other difference.
class DirectContext final : public grpc::CallbackServerContext {
 public:
  explicit DirectContext(CallTrace trace) : trace_(std::move(trace)) {}
  const CallTrace& trace() const { return trace_; }

 private:
  const CallTrace trace_;
};

}  // namespace bdcsync::rpc
