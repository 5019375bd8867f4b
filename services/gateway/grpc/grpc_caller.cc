#include "services/gateway/grpc/grpc_caller.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>

#include "absl/strings/strip.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/gateway/auth/token_verifier.h"

namespace bdcsync::gateway {
namespace {

constexpr char kAuthorization[] = "authorization";
constexpr char kUserId[] = "x-user-id";
constexpr char kAppVersion[] = "x-app-version";
constexpr absl::string_view kBearer = "Bearer ";

std::string MetadataOf(const grpc::CallbackServerContext& context, const char* name) {
  const auto entry = context.client_metadata().find(name);
  if (entry == context.client_metadata().end()) return "";
  return std::string(entry->second.data(), entry->second.size());
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Caller>> CallerOf(const grpc::CallbackServerContext& context,
                                                       const TokenVerifier& tokens,
                                                       bool require_authentication) {
  const std::string authorization = MetadataOf(context, kAuthorization);
  absl::string_view token = authorization;
  if (absl::ConsumePrefix(&token, kBearer)) {
    ASSIGN_OR_RETURN(Caller caller, tokens.Verify(token));
    caller.client_version = MetadataOf(context, kAppVersion);
    return std::make_shared<const Caller>(std::move(caller));
  }
  if (require_authentication || !authorization.empty()) {
    return MakeError(Reason::kUnauthenticated, "metadata `authorization: Bearer <token>` needed");
  }
  Caller caller;
  caller.user_id = MetadataOf(context, kUserId);
  caller.client_version = MetadataOf(context, kAppVersion);
  caller.admin = true;
  if (caller.user_id.empty()) {
    return MakeError(Reason::kUnauthenticated, "a token or metadata `x-user-id` is needed");
  }
  return std::make_shared<const Caller>(std::move(caller));
}

}  // namespace bdcsync::gateway
