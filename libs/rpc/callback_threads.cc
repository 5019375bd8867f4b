#include "libs/rpc/callback_threads.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace bdcsync::rpc {

void KeepCallbackThreads() {
  // A server that nobody can reach. Never destroyed: channels may outlive all else.
  static const grpc::Server* const kept = [] {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(new grpc::CallbackGenericService);
    return builder.BuildAndStart().release();
  }();
  static_cast<void>(kept);
}

}  // namespace bdcsync::rpc
