// The reading side of a connection: messages, and the end of them.
#include <boost/asio/buffer.hpp>
#include <boost/beast/websocket/error.hpp>
#include <utility>

#include "services/gateway/session/close_code.h"
#include "services/gateway/websocket/beast_connection.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace websocket = boost::beast::websocket;
namespace {

// Room that an idle connection keeps for the next message; also the most that a peer can make us
// set aside by announcing a message.
constexpr size_t kFirstReadBytes = 512;
constexpr size_t kNextReadBytes = 64 << 10;
// A buffer that has grown beyond this is given back after the message.
constexpr size_t kReadBufferKeptBytes = 4 << 10;
// Part of a message counts as a sign of life when it is at least this long: a peer that sends a
// byte now and then does not hold a connection for ever.
constexpr size_t kLifeBytes = 1 << 10;

}  // namespace

void BeastConnection::ReadSome() {
  reading_ = true;
  const size_t limit = buffer_.size() == 0 ? kFirstReadBytes : kNextReadBytes;
  ws_.async_read_some(buffer_, limit, [self = shared_from_this()](ErrorCode error, size_t bytes) {
    self->reading_ = false;
    self->bytes_since_life_ += bytes;
    self->OnRead(error);
  });
}

void BeastConnection::OnRead(ErrorCode error) {
  if (state_ == State::kGone || state_ == State::kLingering) return;
  if (error) {
    OnReadEnded(error);
    return;
  }
  if (ws_.is_message_done()) {
    OnMessage();
  } else if (bytes_since_life_ >= kLifeBytes) {
    bytes_since_life_ = 0;
    last_life_ = host_.now();
  }
  if (reading_) return;
  if (state_ == State::kClosing || (state_ == State::kOpen && (!paused_ || !ws_.is_message_done())))
    ReadSome();
}

void BeastConnection::OnMessage() {
  last_life_ = host_.now();
  bytes_since_life_ = 0;
  in_message_ = true;
  if (state_ == State::kOpen) {
    if (ws_.got_binary() != (format_ == WireFormat::kProto)) {
      CloseForOwnReasons(kCloseBadMessage, ws_.got_binary() ? "this subprotocol has text frames"
                                                            : "this subprotocol has binary frames");
    } else {
      metrics().messages_received.Add();
      metrics().bytes_received.Add(static_cast<double>(buffer_.size()));
      const boost::asio::const_buffer data = buffer_.data();
      handler_->OnText({static_cast<const char*>(data.data()), data.size()});
    }
  }
  in_message_ = false;
  buffer_.consume(buffer_.size());
  if (buffer_.capacity() > kReadBufferKeptBytes) buffer_.shrink_to_fit();
}

void BeastConnection::ResumeReading() {
  paused_ = false;
  if (state_ == State::kOpen && !reading_ && !in_message_) ReadSome();
}

void BeastConnection::OnReadEnded(ErrorCode error) {
  // After a close frame or a violation of the protocol Beast has queued its own close frame, with
  // the code that fits; a broken connection has nobody left to tell.
  const bool answered = error == websocket::error::closed ||
                        error.category() == make_error_code(websocket::error::closed).category();
  if (!answered) {
    Abort();
    return;
  }
  if (state_ == State::kOpen && error != websocket::error::closed) {
    metrics().CountClose(error == websocket::error::message_too_big     ? kCloseTooBig
                         : error == websocket::error::bad_frame_payload ? kCloseInvalidText
                                                                        : kCloseProtocolError);
  }
  Linger();
}

void BeastConnection::Linger() {
  state_ = State::kLingering;
  deadline_ = host_.shared().clock.Monotonic() + options().close_timeout;
  if (const std::shared_ptr<ConnectionHandler> handler = std::move(handler_)) handler->OnClosed();
  buffer_.clear();
  buffer_.shrink_to_fit();
  if (outbox_.empty() && tls_chunk_.empty()) {
    OnQueueEmpty();
  } else {
    WantWrite();
  }
}

// Reads what the peer still sends until it ends too: closing the socket over unread data would make
// the system throw away our last frames.
void BeastConnection::DiscardInput() {
  std::vector<char>& discard = host_.discard();
  stream().socket().async_read_some(boost::asio::buffer(discard),
                                    [self = shared_from_this()](ErrorCode error, size_t) {
                                      if (self->state_ == State::kGone) return;
                                      if (error) {
                                        self->Abort();
                                      } else {
                                        self->DiscardInput();
                                      }
                                    });
}

}  // namespace bdcsync::gateway
