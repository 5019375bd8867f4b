// Errors across the wire: reason, path and retry_after of an absl::Status travel as a
// common.v1.Error, in an answer or in the binary details of a grpc::Status. Both directions lose
// nothing but other payloads. Thread-safe: functions only.
#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}  // namespace grpc
namespace bdcsync::common::v1 {
class Error;
}  // namespace bdcsync::common::v1

namespace bdcsync::rpc {

grpc::Status ToGrpc(const absl::Status& status);
// A failure of gRPC itself (no connection, deadline) gets the reason nearest its code.
absl::Status FromGrpc(const grpc::Status& status);

// `status` must not be OK.
void ToProto(const absl::Status& status, common::v1::Error& error);
// Never OK: a code that is not known here becomes kInternal, or kUnavailable if it is retryable.
absl::Status FromProto(const common::v1::Error& error);

}  // namespace bdcsync::rpc
