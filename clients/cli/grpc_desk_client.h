// The desk over gRPC.
#pragma once

#include <memory>

#include "clients/cli/desk_client.h"
#include "clients/cli/sync_client.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::cli {

// `options` is borrowed.
std::unique_ptr<DeskClient> MakeGrpcDesk(const std::shared_ptr<grpc::Channel>& channel,
                                         const SyncClientOptions& options);

}  // namespace bdcsync::cli
