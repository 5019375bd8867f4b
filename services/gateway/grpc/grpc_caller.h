// Who makes a gRPC call of the gateway. Thread-safe: a function only.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "services/gateway/session/caller.h"

namespace grpc {
class CallbackServerContext;
}  // namespace grpc

namespace bdcsync::gateway {

class TokenVerifier;

// By the token in metadata `authorization: Bearer <token>`. Where none is required (development
// only), callers may name themselves in `x-user-id` instead and may do everything. Programs may say
// their version in `x-app-version`.
//   kUnauthenticated, kTokenExpired  there is no valid token.
absl::StatusOr<std::shared_ptr<const Caller>> CallerOf(const grpc::CallbackServerContext& context,
                                                       const TokenVerifier& tokens,
                                                       bool require_authentication);

}  // namespace bdcsync::gateway
