// Where streams of calls go (call_streams.h), and with what. A value.
#pragma once

#include <optional>
#include <string>

#include "libs/rpc/framed_socket.h"

namespace bdcsync::rpc {

class SocketLoops;

struct StreamAddress {
  std::string host;  // A name or an IP address.
  std::string port;
  SocketLimits limits;
  SocketLoops* loops = nullptr;  // Borrowed by all that call there.
};

// Host and port of `target`, as channels take it: host:port, [IPv6]:port, or one of these behind
// dns:///. Nothing: it is of another kind, and can be called without streams only.
std::optional<StreamAddress> ParseStreamAddress(const std::string& target);

}  // namespace bdcsync::rpc
