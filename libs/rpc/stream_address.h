// Where streams of calls go (call_streams.h), and with what. A value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "libs/rpc/framed_socket.h"

namespace bdcsync::rpc {

class HungPeers;
class SocketLoops;

// A peer hangs that is silent for so many pulses of a connection (framed_socket.h) after it was
// asked for a sign of life.
inline constexpr int kQuietPulsesMax = 3;

// Of the streams that a caller keeps for its next calls.
struct StreamReuse {
  // An older stream is not used again: a new one may go to another address behind the same name.
  absl::Duration age_max = absl::Seconds(10);
  // Of one method. Callers have few calls in flight; more streams than that come from a burst.
  std::size_t free_max = 16;
};

struct StreamAddress {
  std::string host;  // A name or an IP address.
  std::string port;
  SocketLimits limits;
  StreamReuse reuse;
  SocketLoops* loops = nullptr;     // Borrowed by all that call there.
  HungPeers* hung_peers = nullptr;  // The same; null: nobody is told.
};

// Host and port of `target`, as channels take it: host:port, [IPv6]:port, or one of these behind
// dns:///. Nothing: it is of another kind, and can be called without streams only.
std::optional<StreamAddress> ParseStreamAddress(const std::string& target);

}  // namespace bdcsync::rpc
