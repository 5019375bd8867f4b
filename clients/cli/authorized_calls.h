// Blocking gRPC calls with the caller's token and timeout; a failure without a connection is marked
// (connection_error.h). Includes grpcpp: for adapters' .cc files.
#pragma once

#include <grpcpp/client_context.h>

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/connection_error.h"
#include "clients/cli/sync_client.h"
#include "libs/base/errors.h"
#include "libs/rpc/deadline.h"
#include "libs/rpc/status.h"

namespace bdcsync::cli {

class AuthorizedCalls {
 public:
  // `options` is borrowed.
  explicit AuthorizedCalls(const SyncClientOptions& options) : options_(options) {}

  void Authorize(grpc::ClientContext& context) const {
    const std::string token = options_.token();
    if (!token.empty()) context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  }
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    grpc::ClientContext context;
    rpc::CallOptions call;
    call.timeout = options_.timeout;
    rpc::PrepareCall(context, call);
    Authorize(context);
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return Failure(context, status);
    return response;
  }
  // What a call failed with that ended with `status`.
  static absl::Status Failure(const grpc::ClientContext& context, const grpc::Status& status) {
    // Servers of the suite give details to all that they refuse. Without, gRPC itself has, here or
    // there: the message is too large for it.
    if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED &&
        status.error_details().empty()) {
      return MakeError(Reason::kTooLarge, status.error_message());
    }
    absl::Status failure = rpc::FromGrpc(status);
    return HadConnection(context) ? failure : NotConnected(std::move(failure));
  }

 private:
  // A call that was put on a connection has its far end for a peer, an address; any other the name
  // that was dialled. (The state of the channel tells nothing: it connects again by itself.) Who
  // dials an address as gRPC writes it is taken to have had a connection.
  static bool HadConnection(const grpc::ClientContext& context) {
    const std::string peer = context.peer();
    return absl::StartsWith(peer, "ipv4:") || absl::StartsWith(peer, "ipv6:") ||
           absl::StartsWith(peer, "unix:");
  }

  const SyncClientOptions& options_;
};

}  // namespace bdcsync::cli
