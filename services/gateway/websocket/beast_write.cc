// The writing side of a connection: everything that one turn of the loop queues leaves in one
// write.
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <utility>

#include "services/gateway/session/close_code.h"
#include "services/gateway/websocket/beast_connection.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace {

// TLS encrypts a copy of this much at a time, a few of its records.
constexpr size_t kTlsChunkBytes = 64 << 10;

}  // namespace

bool BeastConnection::Deflates(const SharedFrame& frame) const {
  return deflates_ && frame->size() >= options().compression_threshold_bytes;
}

void BeastConnection::Send(SharedFrame frame) {
  if (Deflates(frame)) frame = host_.deflater().DeflateShared(frame);
  QueueMessage(std::move(frame));
}

void BeastConnection::SendText(absl::string_view json) {
  SharedFrame frame = MakeTextFrame(json);
  if (Deflates(frame)) frame = host_.deflater().Deflate(frame);
  QueueMessage(std::move(frame));
}

void BeastConnection::QueueMessage(SharedFrame frame) {
  if (state_ != State::kOpen || overflowed_) return;
  const bool waits_alone = outbox_.empty();
  Queue(std::move(frame));
  if (outbox_.bytes() > options().queued_bytes_high) above_high_ = true;
  // However long a message is, it may be sent.
  if (waits_alone || outbox_.bytes() <= options().queued_bytes_max) return;
  overflowed_ = true;
  // Not here: the handler may be in the midst of sending.
  host_.loop().Post([self = shared_from_this()] { self->CloseOverflowed(); });
}

void BeastConnection::QueueBytes(std::string bytes) {
  // After our own close frame nothing may follow, not even Beast's answer to the peer's.
  if (state_ == State::kClosing || state_ == State::kGone) return;
  Queue(std::make_shared<const std::string>(std::move(bytes)));
}

void BeastConnection::Queue(SharedFrame frame) {
  outbox_.Push(std::move(frame));
  WantWrite();
}

void BeastConnection::WantWrite() {
  if (turn_end_due_ || write_waiting_) return;
  turn_end_due_ = true;
  host_.loop().AtTurnEnd(shared_from_this());
}

void BeastConnection::OnTurnEnd() {
  turn_end_due_ = false;
  if (state_ == State::kGone || write_waiting_) return;
  Write();
}

void BeastConnection::Write() {
  if (stream().tls() != nullptr) {
    WriteTls();
  } else {
    WritePlain();
  }
}

void BeastConnection::CloseOverflowed() {
  overflowed_ = false;
  if (state_ != State::kOpen) return;
  outbox_.DropUnsent();
  CloseForOwnReasons(kCloseSlowConsumer, "too much waits to be read");
}

void BeastConnection::WritePlain() {
  if (outbox_.empty()) return;
  std::array<iovec, Outbox::kWriteVectorsMax> vectors;
  const size_t count = outbox_.Gather(absl::MakeSpan(vectors));
  msghdr message = {};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  const ssize_t written =
      sendmsg(stream().socket().native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    Abort();
    return;
  }
  if (written > 0) {
    metrics().writes.Add();
    metrics().bytes_sent.Add(static_cast<double>(written));
    last_progress_ = host_.now();
    outbox_.Consume(static_cast<size_t>(written));
    OnQueueShrunk();
    if (state_ == State::kGone || outbox_.empty()) return;
  }
  if (written > 0 && outbox_.bytes() > 0) {
    WantWrite();  // Others first.
    return;
  }
  metrics().writes_blocked.Add();
  write_waiting_ = true;
  stream().socket().async_wait(QueuedStream::Socket::wait_write,
                               [self = shared_from_this()](ErrorCode error) {
                                 self->write_waiting_ = false;
                                 if (!error && self->state_ != State::kGone) self->Write();
                               });
}

void BeastConnection::WriteTls() {
  if (outbox_.empty()) return;
  std::array<iovec, Outbox::kWriteVectorsMax> vectors;
  const size_t count = outbox_.Gather(absl::MakeSpan(vectors));
  for (size_t i = 0; i < count && tls_chunk_.size() < kTlsChunkBytes; ++i) {
    tls_chunk_.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  outbox_.Consume(tls_chunk_.size());
  write_waiting_ = true;
  boost::asio::async_write(*stream().tls(), boost::asio::buffer(tls_chunk_),
                           [self = shared_from_this()](ErrorCode error, size_t bytes) {
                             self->OnTlsWritten(error, bytes);
                           });
}

void BeastConnection::OnTlsWritten(ErrorCode error, size_t bytes) {
  write_waiting_ = false;
  if (state_ == State::kGone) return;
  if (error) {
    Abort();
    return;
  }
  metrics().writes.Add();
  metrics().bytes_sent.Add(static_cast<double>(bytes));
  last_progress_ = host_.now();
  std::string().swap(tls_chunk_);
  OnQueueShrunk();
  if (state_ != State::kGone && !outbox_.empty()) Write();
}

void BeastConnection::OnQueueShrunk() {
  if (above_high_ && outbox_.bytes() < options().queued_bytes_low) {
    above_high_ = false;
    if (state_ == State::kOpen && handler_ != nullptr) handler_->OnDrained();
  }
  if (outbox_.empty() && state_ == State::kLingering) OnQueueEmpty();
}

void BeastConnection::OnQueueEmpty() {
  if (send_shut_) return;
  send_shut_ = true;
  ErrorCode ignored;
  stream().socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  DiscardInput();
}

}  // namespace bdcsync::gateway
