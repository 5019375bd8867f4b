// Peers that hang, for tests: what their kernel does goes on, what they do does not.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cstdint>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "libs/rpc/socket_loops.h"

namespace bdcsync::rpc {

// Holds all threads of `loops` up as long as it lives.
class Freeze {
 public:
  explicit Freeze(SocketLoops& loops) : count_(static_cast<int>(loops.size())) {
    absl::BlockingCounter frozen(count_);
    for (int i = 0; i < count_; ++i) {
      boost::asio::post(loops.Next(), [this, &frozen] {
        frozen.DecrementCount();
        thaw_.WaitForNotification();
        thawed_.DecrementCount();
      });
    }
    frozen.Wait();
  }
  ~Freeze() {
    thaw_.Notify();
    thawed_.Wait();
  }
  Freeze(const Freeze&) = delete;
  Freeze& operator=(const Freeze&) = delete;

 private:
  const int count_;
  absl::Notification thaw_;
  absl::BlockingCounter thawed_{count_};
};

// Listens and never accepts: connections come about, and nothing is said on them.
class DeafPeer {
 public:
  DeafPeer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    (void)::bind(socket_, reinterpret_cast<sockaddr*>(&address), size);
    (void)::listen(socket_, SOMAXCONN);
    (void)::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~DeafPeer() { Die(); }
  DeafPeer(const DeafPeer&) = delete;
  DeafPeer& operator=(const DeafPeer&) = delete;

  int port() const { return port_; }
  // The next connection, which is the caller's to close.
  int Accept() const { return ::accept(socket_, nullptr, nullptr); }
  void Die() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
  uint16_t port_ = 0;
};

}  // namespace bdcsync::rpc
