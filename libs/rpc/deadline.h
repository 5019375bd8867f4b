// Deadlines and request ids, passed on from call to call. Every call has a deadline; the request id
// travels in the metadata key x-request-id and appears in the logs of all services.
// Thread-safe: functions only.
#pragma once

#include <grpc/support/time.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/call_trace.h"

namespace grpc {
class ClientContext;
class ServerContextBase;
}  // namespace grpc

namespace bdcsync::rpc {

inline constexpr absl::string_view kRequestIdMetadata = "x-request-id";

struct CallOptions {
  absl::Duration timeout = absl::Seconds(10);
  std::string request_id;  // Empty: none is sent.
  // Wait for a connection (until the deadline) instead of failing at once.
  bool wait_for_ready = false;
  bool may_take_long = false;  // Never handled on the thread that calls, wherever the service is.
};

// What a call that begins now sends along. What the options leave open comes from the thread's
// CallScope: its request id, and no deadline later than its moment.
CallTrace TraceToSend(const CallOptions& options);
// Sets deadline, request id (as TraceToSend says) and wait_for_ready.
void PrepareCall(grpc::ClientContext& context, const CallOptions& options);

// `left` from now, safe from jumps of the time of day.
gpr_timespec DeadlineAfter(absl::Duration left);

// The caller's request id, cleaned; empty when it sent none.
std::string RequestIdOf(const grpc::ServerContextBase& context);
// The request that the caller of `context` works on: its request id, and its deadline.
CallTrace TraceOf(const grpc::ServerContextBase& context);

}  // namespace bdcsync::rpc
