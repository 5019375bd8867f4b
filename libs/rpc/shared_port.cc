#include "libs/rpc/shared_port.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "libs/base/errors.h"
#include "libs/rpc/framed_socket.h"
#include "libs/rpc/socket_loops.h"

namespace bdcsync::rpc {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kAcceptPause{100};  // After a failed accept.

// Wakes who waits to read only when so much has arrived.
void SetLowWater(int socket, std::size_t bytes) {
  const auto value = static_cast<int>(bytes);
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

error_code Listen(const tcp::endpoint& endpoint, tcp::acceptor& acceptor) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (endpoint.protocol() == tcp::v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(boost::asio::ip::v6_only(false), error);
  }
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

}  // namespace

// Lives on one loop; it holds itself through what it waits for.
class SharedPort::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(SocketLoops& loops, const SharedPortLimits& limits)
      : limits_(limits), loops_(loops), context_(loops.Next()) {}

  // As gRPC does: on all addresses of a name, as long as one can be had; a wildcard is for both
  // families.
  absl::Status Open(const std::string& host, int port) {
    error_code error;
    tcp::resolver resolver(context_);
    const auto found =
        resolver.resolve(host, absl::StrCat(port), tcp::resolver::numeric_service, error);
    if (error) return MakeError(Reason::kUnavailable, error.message());
    port_ = static_cast<uint16_t>(port);
    for (const auto& entry : found) {
      const boost::asio::ip::address address = entry.endpoint().address();
      if (address.is_unspecified() && !Add(tcp::endpoint(tcp::v6(), port_))) break;
      error = Add(tcp::endpoint(address, port_));
    }
    if (acceptors_.empty()) return MakeError(Reason::kUnavailable, error.message());
    return absl::OkStatus();
  }

  int port() const { return port_; }
  std::size_t silent() const { return silent_count_; }

  void Start(Takers takers) {
    takers_ = std::move(takers);
    boost::asio::post(context_, [self = shared_from_this()] {
      for (tcp::acceptor& acceptor : self->acceptors_) self->Accept(acceptor);
    });
  }

  void Close() {
    absl::Notification closed;
    boost::asio::post(context_, [this, &closed] {
      open_ = false;
      error_code ignored;
      for (tcp::acceptor& acceptor : acceptors_) acceptor.close(ignored);
      for (const std::shared_ptr<Silent>& silent : silent_) silent->End();
      silent_.clear();
      silent_count_ = 0;
      closed.Notify();
    });
    closed.WaitForNotification();
  }

 private:
  // A connection that has not said what it is.
  struct Silent {
    explicit Silent(tcp::socket accepted)
        : socket(std::move(accepted)), timer(socket.get_executor()) {}
    void End() {
      error_code ignored;
      socket.close(ignored);
      timer.cancel();
    }
    tcp::socket socket;
    boost::asio::steady_timer timer;
  };

  error_code Add(const tcp::endpoint& endpoint) {
    tcp::acceptor acceptor(context_);
    const error_code error = Listen(endpoint, acceptor);
    if (error) return error;
    port_ = acceptor.local_endpoint().port();
    acceptors_.push_back(std::move(acceptor));
    return {};
  }

  void Accept(tcp::acceptor& acceptor) {
    if (!open_) return;
    acceptor.async_accept(context_, [self = shared_from_this(), &acceptor](const error_code& error,
                                                                           tcp::socket socket) {
      if (!self->open_) return;
      if (error) {
        self->Pause(acceptor);
        return;
      }
      self->Greet(std::move(socket));
      self->Accept(acceptor);
    });
  }

  // Most likely there are no file descriptors left.
  void Pause(tcp::acceptor& acceptor) {
    const auto pause = std::make_shared<boost::asio::steady_timer>(context_, kAcceptPause);
    pause->async_wait([self = shared_from_this(), pause, &acceptor](const error_code&) {
      self->Accept(acceptor);
    });
  }

  void Greet(tcp::socket socket) {
    if (silent_.size() >= limits_.silent_max) {
      HandToGrpc(socket);
      return;
    }
    SetLowWater(socket.native_handle(), kGreeting.size());
    const auto silent = std::make_shared<Silent>(std::move(socket));
    silent_.insert(silent);
    silent_count_ = silent_.size();
    silent->timer.expires_after(absl::ToChronoMilliseconds(limits_.silence_max));
    silent->timer.async_wait([self = shared_from_this(), silent](const error_code& error) {
      if (!error && self->Forget(silent)) silent->End();
    });
    silent->socket.async_wait(tcp::socket::wait_read,
                              [self = shared_from_this(), silent](const error_code& error) {
                                if (!self->Forget(silent)) return;
                                silent->timer.cancel();
                                if (!error) self->Decide(silent->socket);
                              });
  }

  // False: it was forgotten before.
  bool Forget(const std::shared_ptr<Silent>& silent) {
    if (silent_.erase(silent) == 0) return false;
    silent_count_ = silent_.size();
    return true;
  }

  void Decide(tcp::socket& socket) {
    std::array<char, kGreeting.size()> bytes;
    const ssize_t count =
        ::recv(socket.native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count <= 0) return;  // It is gone; closed with the socket.
    if (absl::string_view(bytes.data(), static_cast<std::size_t>(count)) == kGreeting) {
      HandToLoop(socket);
    } else {
      HandToGrpc(socket);
    }
  }

  // Streams are spread over all loops.
  void HandToLoop(tcp::socket& socket) {
    SetLowWater(socket.native_handle(), 1);
    error_code error;
    const tcp protocol = socket.local_endpoint(error).protocol();
    tcp::socket moved(loops_.Next());
    const int descriptor = socket.release(error);
    if (error) return;
    moved.assign(protocol, descriptor, error);
    if (error) {
      ::close(descriptor);
    } else {
      takers_.stream(std::move(moved));
    }
  }

  void HandToGrpc(tcp::socket& socket) {
    SetLowWater(socket.native_handle(), 1);
    error_code error;
    socket.set_option(tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    const int descriptor = socket.release(error);
    if (!error) takers_.grpc(descriptor);
  }

  const SharedPortLimits limits_;
  SocketLoops& loops_;
  boost::asio::io_context& context_;
  std::vector<tcp::acceptor> acceptors_;  // Of one port; none is added once it has started.
  uint16_t port_ = 0;
  Takers takers_;
  bool open_ = true;
  std::set<std::shared_ptr<Silent>> silent_;
  std::atomic<std::size_t> silent_count_{0};  // For whoever asks.
};

SharedPort::SharedPort(std::shared_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
SharedPort::~SharedPort() = default;

absl::StatusOr<std::unique_ptr<SharedPort>> SharedPort::Open(SocketLoops& loops,
                                                             const std::string& host, int port,
                                                             const SharedPortLimits& limits) {
  auto acceptor = std::make_shared<Acceptor>(loops, limits);
  const absl::Status opened = acceptor->Open(host, port);
  if (!opened.ok()) return opened;
  return std::unique_ptr<SharedPort>(new SharedPort(std::move(acceptor)));
}

int SharedPort::port() const { return acceptor_->port(); }
std::size_t SharedPort::silent() const { return acceptor_->silent(); }
void SharedPort::Start(Takers takers) { acceptor_->Start(std::move(takers)); }
void SharedPort::Close() { acceptor_->Close(); }

}  // namespace bdcsync::rpc
