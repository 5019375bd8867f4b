// Blocking gRPC calls with the caller's token and timeout. Includes grpcpp: for adapters' .cc
// files.
#pragma once

#include <grpcpp/client_context.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/sync_client.h"
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
    if (!status.ok()) return rpc::FromGrpc(status);
    return response;
  }

 private:
  const SyncClientOptions& options_;
};

}  // namespace bdcsync::cli
