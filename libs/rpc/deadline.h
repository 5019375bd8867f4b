// Deadlines and request ids, passed on from call to call. Every call has a deadline; the request id
// travels in the metadata key x-request-id and appears in the logs of all services.
// Thread-safe: functions only.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace grpc {
class ClientContext;
class ServerContextBase;
}  // namespace grpc

namespace bdcsync::rpc {

inline constexpr absl::string_view kRequestIdMetadata = "x-request-id";
// A longer request id from a caller is cut to this.
inline constexpr int kRequestIdBytesMax = 128;

struct CallOptions {
  absl::Duration timeout = absl::Seconds(10);
  std::string request_id;  // Empty: none is sent.
  bool wait_for_ready =
      false;  // Wait for a connection (until the deadline) instead of failing at once.
};

// Sets deadline, request id and wait_for_ready.
void PrepareCall(grpc::ClientContext& context, const CallOptions& options);

// How long the caller of `context` still waits; at most `timeout_max`, never below zero.
absl::Duration Remaining(const grpc::ServerContextBase& context, absl::Duration timeout_max);
// The caller's request id; empty when it sent none. Unprintable characters are removed.
std::string RequestIdOf(const grpc::ServerContextBase& context);
// Options for a call made on behalf of the caller of `context`: its request id, and what is left of
// its deadline.
CallOptions Forward(const grpc::ServerContextBase& context, absl::Duration timeout_max);

}  // namespace bdcsync::rpc
