// Listens on a port that serves two kinds of connections: gRPC's and streams of calls
// (call_streams.h). Which one a connection is its first bytes say; one that says nothing for a
// while is closed. For .cc files of libs/rpc only. Thread-safe.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace bdcsync::rpc {

class SocketLoops;

struct SharedPortLimits {
  absl::Duration silence_max = absl::Seconds(10);  // For a connection to say what it is.
  std::size_t silent_max = 1024;                   // Connections that have not said it.
};

class SharedPort {
 public:
  // Both run on the thread of a loop, not that of the socket. Of `grpc` is what is no stream, and
  // what has not said yet what it is when many wait; it takes the file descriptor over.
  struct Takers {
    std::function<void(int)> grpc;
    std::function<void(boost::asio::ip::tcp::socket)> stream;
  };

  // Listens on all addresses of `host` (a name or an IP address; a wildcard stands for IPv4 and
  // IPv6) and `port`, 0 for any free one. Nothing is accepted before Start. UNAVAILABLE: the port
  // is taken, or no address is one of this machine.
  static absl::StatusOr<std::unique_ptr<SharedPort>> Open(SocketLoops& loops,
                                                          const std::string& host, int port,
                                                          const SharedPortLimits& limits = {});
  // After Close, or before Start.
  ~SharedPort();
  SharedPort(const SharedPort&) = delete;
  SharedPort& operator=(const SharedPort&) = delete;

  int port() const;
  // Connections that have not said what they are.
  std::size_t silent() const;
  void Start(Takers takers);
  // Stops listening; returns when no taker runs or will run. Not on a thread of a loop.
  void Close();

 private:
  class Acceptor;
  explicit SharedPort(std::shared_ptr<Acceptor> acceptor);
  const std::shared_ptr<Acceptor> acceptor_;  // Shared with what it waits for.
};

}  // namespace bdcsync::rpc
