#include "services/gateway/websocket/beast_connection.h"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "libs/app/tls_files.h"
#include "services/gateway/session/close_code.h"
#include "services/gateway/websocket/control_frame.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace websocket = boost::beast::websocket;
namespace {

// Beast writes nothing but control frames here; the smallest buffer will do.
constexpr size_t kBeastWriteBytes = 128;
constexpr int kMissedHeartbeatsMax = 2;

// A client that leaves it to us compresses with a window of 4 KiB. Beast keeps that much for each
// connection that has sent a compressed message: 32 KiB would be most of an idle connection.
constexpr int kClientWindowBits = 12;
constexpr int kWholeWindowBits = 15;

websocket::permessage_deflate Deflate(bool enabled, bool client_window_offered) {
  websocket::permessage_deflate deflate;
  deflate.server_enable = enabled;
  // Beast refuses all compression where the window is not offered and ours is not the whole.
  deflate.client_max_window_bits = client_window_offered ? kClientWindowBits : kWholeWindowBits;
  // FrameDeflater compresses, not Beast, whose compressor is never made and costs nothing. Without
  // context takeover in both directions, a connection keeps no window of what was said.
  deflate.server_no_context_takeover = true;
  deflate.client_no_context_takeover = true;
  deflate.memLevel = 1;
  return deflate;
}

// The context in use now, of which a connection keeps what it needs; null without TLS.
std::shared_ptr<boost::asio::ssl::context> TlsOf(const ConnectionHost& host) {
  return host.shared().tls == nullptr ? nullptr : host.shared().tls->context();
}

}  // namespace

std::shared_ptr<HostedConnection> MakeBeastConnection(ConnectionHost& host, TcpSocket socket) {
  return std::make_shared<BeastConnection>(host, std::move(socket));
}

BeastConnection::BeastConnection(ConnectionHost& host, TcpSocket socket)
    : host_(host), ws_(std::move(socket), TlsOf(host).get(), *this) {
  ws_.read_message_max(options().message_bytes_max);
  ws_.auto_fragment(false);
  ws_.write_buffer_bytes(kBeastWriteBytes);
  ws_.set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                 websocket::stream_base::none(), false});
  ws_.control_callback(
      [this](websocket::frame_type, boost::beast::string_view) { last_life_ = host_.now(); });
}

void BeastConnection::OfferCompression(absl::string_view offer) {
  ws_.set_option(
      Deflate(options().compression_enabled, absl::StrContains(offer, "client_max_window_bits")));
}

std::string BeastConnection::remote() const {
  ErrorCode error;
  const auto endpoint =
      const_cast<BeastConnection*>(this)->stream().socket().remote_endpoint(error);
  if (error) return "unknown";
  std::ostringstream text;
  text << endpoint;
  return text.str();
}

void BeastConnection::Start() {
  ErrorCode ignored;
  stream().socket().non_blocking(true, ignored);
  stream().socket().set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  deadline_ = host_.shared().clock.Monotonic() + options().handshake_timeout;
  handshake_ = std::make_unique<Handshake>();
  if (stream().tls() == nullptr) {
    ReadRequest();
    return;
  }
  stream().tls()->async_handshake(boost::asio::ssl::stream_base::server,
                                  [self = shared_from_this()](ErrorCode error) {
                                    if (self->state_ != State::kHandshake) return;
                                    if (error) {
                                      self->Abort();
                                    } else {
                                      self->ReadRequest();
                                    }
                                  });
}

void BeastConnection::Tick(absl::Duration now) {
  switch (state_) {
    case State::kHandshake:
      if (now < deadline_) return;
      metrics().handshake_timeouts.Add();
      Abort();
      return;
    case State::kOpen:
      CheckLife(now);
      return;
    case State::kClosing:
    case State::kLingering:
      if (now >= deadline_) Abort();
      return;
    case State::kGone:
      return;
  }
}

void BeastConnection::CheckLife(absl::Duration now) {
  const absl::Duration interval = host_.heartbeat_interval();
  last_progress_ = std::max(last_progress_, host_.heartbeat_since());
  last_life_ = std::max(last_life_, host_.heartbeat_since());
  if (outbox_.empty()) last_progress_ = now;
  if (now - last_progress_ >= kMissedHeartbeatsMax * interval) {
    outbox_.DropUnsent();
    CloseForOwnReasons(kCloseSlowConsumer, "what waits is not read");
    return;
  }
  // While we read nothing ourselves, or our pings wait behind other things, silence says nothing.
  if ((paused_ && !reading_) || !outbox_.empty()) last_life_ = now;
  // A peer that was not asked, because the interval has just become shorter, has missed nothing.
  const bool asked = last_ping_ > last_life_ && now - last_ping_ >= interval;
  if (asked && now - last_life_ >= kMissedHeartbeatsMax * interval) {
    CloseForOwnReasons(kCloseNoLife, "no sign of life");
    return;
  }
  if (now - last_ping_ < interval) return;
  last_ping_ = now;
  static const SharedFrame& ping = *new SharedFrame(MakePingFrame());
  Queue(ping);
}

void BeastConnection::CloseForOwnReasons(uint16_t code, absl::string_view reason) {
  if (state_ != State::kOpen) return;
  if (handler_ != nullptr) handler_->OnClosing(code, reason);
  Close(code, reason);
}

void BeastConnection::Close(uint16_t code, absl::string_view reason) {
  if (state_ != State::kOpen) return;
  metrics().CountClose(code);
  Queue(MakeCloseFrame(code, reason));
  state_ = State::kClosing;
  deadline_ = host_.shared().clock.Monotonic() + options().close_timeout;
  if (!reading_ && !in_message_) ReadSome();  // For the peer's close frame.
}

void BeastConnection::Shutdown() {
  if (state_ == State::kHandshake) {
    Abort();
  } else if (state_ == State::kOpen && handler_ != nullptr) {
    handler_->OnShutdown();
  }
}

void BeastConnection::Abort() {
  if (state_ == State::kGone) return;
  state_ = State::kGone;
  ErrorCode ignored;
  stream().socket().close(ignored);
  if (const std::shared_ptr<ConnectionHandler> handler = std::move(handler_)) handler->OnClosed();
  host_.Remove(*this);
}

}  // namespace bdcsync::gateway
