#include "libs/rpc/framed_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"

namespace bdcsync::rpc {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kConnectMax{5};
constexpr std::size_t kReadBytesMin = 16 << 10;
// A larger buffer is given back once it is empty.
constexpr std::size_t kKeptBytesMax = 1 << 20;
constexpr int kBitsOfByte = 8;
constexpr int kKeepaliveProbes = 2;

uint32_t LengthAt(const char* bytes) {
  uint32_t length = 0;
  for (std::size_t i = 0; i < Frame::kLengthBytes; ++i) {
    length |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])) << (i * kBitsOfByte);
  }
  return length;
}

void SetOption(int socket, int level, int option, int value) {
  // What cannot be set stays as the system has it: slower, not wrong.
  (void)setsockopt(socket, level, option, &value, sizeof(value));
}

void SetOptions(int socket, const SocketLimits& limits) {
  const auto seconds = [](absl::Duration duration) {
    return static_cast<int>(std::max<int64_t>(1, absl::ToInt64Seconds(duration)));
  };
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds(limits.keepalive_interval));
  SetOption(socket, IPPROTO_TCP, TCP_KEEPINTVL,
            seconds(limits.keepalive_timeout / kKeepaliveProbes));
  SetOption(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  SetOption(socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
            static_cast<int>(absl::ToInt64Milliseconds(limits.keepalive_timeout)));
}

absl::Status Gone(absl::string_view what, const error_code& error) {
  return MakeError(Reason::kUnavailable, absl::StrCat(what, ": ", error.message()));
}

}  // namespace

Frame::Frame(FrameKind kind, std::size_t payload_bytes)
    : bytes_count_(kHeadBytes + payload_bytes),
      bytes_(std::make_unique_for_overwrite<uint8_t[]>(bytes_count_)) {
  const auto length = static_cast<uint32_t>(payload_bytes + 1);
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    bytes_[i] = static_cast<uint8_t>(length >> (i * kBitsOfByte));
  }
  bytes_[kLengthBytes] = static_cast<uint8_t>(kind);
}

FramedSocket::FramedSocket(tcp::socket socket, const SocketLimits& limits,
                           std::shared_ptr<FrameReceiver> receiver)
    : limits_(limits),
      connect_timer_(socket.get_executor()),
      pulse_timer_(socket.get_executor()),
      receiver_(std::move(receiver)),
      in_(kReadBytesMin),
      socket_(std::move(socket)) {}

std::shared_ptr<FramedSocket> FramedSocket::Connect(boost::asio::io_context& loop, std::string host,
                                                    std::string port, std::size_t turn,
                                                    const SocketLimits& limits,
                                                    std::shared_ptr<FrameReceiver> receiver) {
  const std::shared_ptr<FramedSocket> self(
      new FramedSocket(tcp::socket(loop), limits, std::move(receiver)));
  boost::asio::post(loop, [self, host = std::move(host), port = std::move(port), turn] {
    self->Dial(host, port, turn);
  });
  return self;
}

std::shared_ptr<FramedSocket> FramedSocket::Accept(tcp::socket socket, const SocketLimits& limits,
                                                   std::shared_ptr<FrameReceiver> receiver) {
  std::shared_ptr<FramedSocket> self(
      new FramedSocket(std::move(socket), limits, std::move(receiver)));
  // Not at once: whoever accepts keeps it first.
  boost::asio::post(self->socket_.get_executor(), [self] { self->OnConnected(); });
  return self;
}

void FramedSocket::Dial(const std::string& host, const std::string& port, std::size_t turn) {
  AwaitPulse();
  connect_timer_.expires_after(kConnectMax);
  connect_timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (!error) self->End(MakeError(Reason::kUnavailable, "the service does not answer"));
  });
  auto resolver = std::make_shared<tcp::resolver>(socket_.get_executor());
  resolver->async_resolve(host, port,
                          [self = shared_from_this(), resolver, turn](
                              const error_code& error, const tcp::resolver::results_type& found) {
                            if (error) {
                              self->End(Gone("the address of the service is not known", error));
                              return;
                            }
                            std::vector<tcp::endpoint> endpoints;
                            for (const auto& entry : found) endpoints.push_back(entry.endpoint());
                            self->DialOneOf(std::move(endpoints), turn);
                          });
}

void FramedSocket::DialOneOf(std::vector<tcp::endpoint> endpoints, std::size_t turn) {
  if (!IsOpen() || endpoints.empty()) {
    End(absl::CancelledError("closed"));
    return;
  }
  const auto first = static_cast<std::ptrdiff_t>(turn % endpoints.size());
  std::rotate(endpoints.begin(), endpoints.begin() + first, endpoints.end());
  auto kept = std::make_shared<std::vector<tcp::endpoint>>(std::move(endpoints));
  boost::asio::async_connect(
      socket_, *kept,
      [self = shared_from_this(), kept](const error_code& error, const tcp::endpoint&) {
        if (error) {
          self->End(Gone("the service cannot be reached", error));
        } else {
          self->OnConnected();
        }
      });
}

void FramedSocket::OnConnected() {
  connect_timer_.cancel();
  {
    absl::MutexLock lock(&mutex_);
    if (!open_) return;  // Close has its turn.
    error_code ignored;
    socket_.non_blocking(true, ignored);
    SetOptions(socket_.native_handle(), limits_);
    connected_ = true;
    // The first thing that is sent, so there is room for it.
    const int more = waiting_.empty() ? 0 : MSG_MORE;
    (void)::send(socket_.native_handle(), kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL | more);
    SendWaiting();
  }
  Read();
}

void FramedSocket::Read() {
  MakeRoom();
  socket_.async_read_some(boost::asio::buffer(in_.data() + end_, in_.size() - end_),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            if (self->ended_) return;
                            if (error) {
                              self->End(Gone("the connection has ended", error));
                            } else {
                              self->OnRead(bytes);
                            }
                          });
}

void FramedSocket::OnRead(std::size_t bytes) {
  stirred_ = true;
  end_ += bytes;
  if (Deliver()) Read();
}

bool FramedSocket::Deliver() {
  while (IsOpen() && DeliverOne()) {
  }
  return IsOpen() && !ended_;
}

bool FramedSocket::DeliverOne() {
  const std::size_t skipped = std::min(skipped_, end_ - begin_);
  begin_ += skipped;
  skipped_ -= skipped;
  if (skipped_ > 0) return false;
  if (!greeted_) return Greet();
  const std::size_t arrived = end_ - begin_;
  needed_ = Frame::kHeadBytes;
  if (arrived < needed_) return false;
  const char* const frame = in_.data() + begin_;
  const uint32_t length = LengthAt(frame);
  if (length == 0) {
    End(MakeError(Reason::kUnavailable, "the peer sends what is no frame"));
    return false;
  }
  const auto kind = static_cast<FrameKind>(frame[Frame::kLengthBytes]);
  const std::size_t payload_bytes = length - 1;
  if (payload_bytes > limits_.payload_bytes_max) {
    begin_ += Frame::kHeadBytes;
    skipped_ = payload_bytes;
    receiver_->OnTooLarge(kind);
    return true;
  }
  needed_ += payload_bytes;
  if (arrived < needed_) return false;
  begin_ += needed_;
  receiver_->OnFrame(kind, {frame + Frame::kHeadBytes, payload_bytes});
  return true;
}

bool FramedSocket::Greet() {
  const std::size_t bytes = std::min(end_ - begin_, kGreeting.size());
  if (absl::string_view(in_.data() + begin_, bytes) != kGreeting.substr(0, bytes)) {
    End(absl::UnimplementedError("what listens there is of another kind"));
    return false;
  }
  if (bytes < kGreeting.size()) return false;
  begin_ += bytes;
  greeted_ = true;
  return true;
}

void FramedSocket::MakeRoom() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (in_.size() > kKeptBytesMax) std::vector<char>(kReadBytesMin).swap(in_);
  }
  if (end_ < in_.size() && begin_ + needed_ <= in_.size()) return;
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Only when it is full, and no larger than what has arrived makes likely: a length is a claim.
  if (end_ == in_.size()) in_.resize(std::min(needed_, in_.size() * 2));
}

void FramedSocket::Send(Frame frame) {
  absl::MutexLock lock(&mutex_);
  if (!open_ || finishing_) return;
  const bool first = waiting_.empty();
  waiting_.push_back(std::move(frame));
  if (first && connected_) SendWaiting();
}

void FramedSocket::SendUnlessOthersWait(Frame frame) {
  absl::MutexLock lock(&mutex_);
  if (!open_ || finishing_ || !connected_ || !waiting_.empty()) return;
  waiting_.push_back(std::move(frame));
  SendWaiting();
}

void FramedSocket::FinishSending() {
  absl::MutexLock lock(&mutex_);
  if (!open_ || finishing_) return;
  finishing_ = true;
  if (connected_ && waiting_.empty()) SendWaiting();
}

// The socket never blocks, so the lock is not held for long.
void FramedSocket::SendWaiting() {
  while (!waiting_.empty()) {
    const absl::string_view rest = waiting_.front().text().substr(sent_);
    const ssize_t bytes = ::send(socket_.native_handle(), rest.data(), rest.size(),
                                 MSG_NOSIGNAL | (waiting_.size() > 1 ? MSG_MORE : 0));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) {
      // Reading tells of everything else.
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        boost::asio::post(socket_.get_executor(),
                          [self = shared_from_this()] { self->AwaitWritable(); });
      }
      return;
    }
    sent_ += static_cast<std::size_t>(bytes);
    if (sent_ < waiting_.front().text().size()) continue;
    waiting_.pop_front();
    sent_ = 0;
  }
  if (finishing_) (void)::shutdown(socket_.native_handle(), SHUT_WR);
}

void FramedSocket::AwaitWritable() {
  if (!IsOpen()) return;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code& error) {
    self->stirred_ = self->stirred_ || !error;
    absl::MutexLock lock(&self->mutex_);
    if (!error && self->open_) self->SendWaiting();
  });
}

void FramedSocket::AwaitPulse() {
  if (ended_ || limits_.pulse == absl::InfiniteDuration()) return;
  pulse_timer_.expires_after(absl::ToChronoMilliseconds(limits_.pulse));
  pulse_timer_.async_wait([self = shared_from_this()](const error_code& error) {
    if (error || self->ended_) return;
    self->receiver_->OnPulse(self->greeted_, std::exchange(self->stirred_, false));
    self->AwaitPulse();
  });
}

void FramedSocket::Close() {
  {
    absl::MutexLock lock(&mutex_);
    if (!open_) return;
    open_ = false;
  }
  boost::asio::post(socket_.get_executor(),
                    [self = shared_from_this()] { self->End(absl::CancelledError("closed")); });
}

void FramedSocket::End(const absl::Status& status) {
  if (ended_) return;
  ended_ = true;
  connect_timer_.cancel();
  pulse_timer_.cancel();
  {
    absl::MutexLock lock(&mutex_);
    open_ = false;
    waiting_.clear();
    error_code ignored;
    socket_.close(ignored);
  }
  const std::shared_ptr<FrameReceiver> receiver = std::move(receiver_);
  receiver->OnEnd(status);
}

bool FramedSocket::IsOpen() const {
  absl::MutexLock lock(&mutex_);
  return open_;
}

}  // namespace bdcsync::rpc
