// Where a service, or a replica of it, is called: through a channel, or without one when it is in
// this process. A value, cheap to copy; Client (client.h) makes calls of it.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "libs/rpc/stream_address.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace bdcsync::rpc {

class DirectServer;

struct Peer {
  std::shared_ptr<grpc::Channel> channel;  // Channels are shared by design.
  // Not null: the service is here. Shared, for calls that outlive the server.
  std::shared_ptr<DirectServer> direct = nullptr;
  // Where it may be called on streams (call_streams.h); otherwise through the channel only.
  std::optional<StreamAddress> streams = std::nullopt;
};

}  // namespace bdcsync::rpc
