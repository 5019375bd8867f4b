// The HTTP side of a connection: reads the request, refuses or accepts it.
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <utility>

#include "services/gateway/session/close_code.h"
#include "services/gateway/websocket/beast_connection.h"
#include "services/gateway/websocket/handshake.h"
#include "services/gateway/websocket/transport_metrics.h"

namespace bdcsync::gateway {
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
namespace {

constexpr uint32_t kHeaderBytesMax = 8 << 10;
constexpr absl::string_view kServerName = "bdc-sync";

absl::string_view FieldOf(const http::request<http::empty_body>& request, http::field field) {
  const auto value = request[field];
  return {value.data(), value.size()};
}

}  // namespace

void BeastConnection::ReadRequest() {
  handshake_->parser.header_limit(kHeaderBytesMax);
  http::async_read_header(stream(), handshake_->buffer, handshake_->parser,
                          [self = shared_from_this()](ErrorCode error, size_t) {
                            if (self->state_ == State::kHandshake) self->OnRequest(error);
                          });
}

void BeastConnection::OnRequest(ErrorCode error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    Refuse(431, "Request Header Fields Too Large", "The request header is too large.");
    return;
  }
  if (error == http::error::end_of_stream) {
    Abort();
    return;
  }
  if (error && error.category() != http::make_error_code(http::error::bad_method).category()) {
    Abort();
    return;
  }
  if (error) {
    Refuse(400, "Bad Request", "This is not an HTTP request.");
    return;
  }
  const auto& request = handshake_->parser.get();
  if (!websocket::is_upgrade(request)) {
    Refuse(426, "Upgrade Required", "This is a WebSocket endpoint.");
    return;
  }
  // A client that speaks before it was answered does not speak WebSocket.
  if (handshake_->buffer.size() > 0) {
    Refuse(400, "Bad Request", "Data before the handshake was done.");
    return;
  }
  if (!OriginAllowed(FieldOf(request, http::field::origin), options().allowed_origins)) {
    metrics().refused_origin.Add();
    Refuse(403, "Forbidden", "Pages of this origin may not connect.");
    return;
  }
  if (!host_.shared().admit()) {
    metrics().refused_full.Add();
    Refuse(503, "Service Unavailable", "Too many connections; try again later.");
    return;
  }
  admitted_ = true;
  Accept();
}

void BeastConnection::Refuse(int status, absl::string_view phrase, absl::string_view explanation) {
  if (status == 400 || status == 426 || status == 431) metrics().refused_request.Add();
  QueueBytes(RefusalResponse(status, phrase, explanation));
  Linger();
}

void BeastConnection::Accept() {
  const auto& request = handshake_->parser.get();
  const SubprotocolChoice choice =
      ChooseSubprotocol(FieldOf(request, http::field::sec_websocket_protocol));
  format_ = choice.format;
  OfferCompression(FieldOf(request, http::field::sec_websocket_extensions));
  // Runs within async_accept, after Beast has agreed on compression or not.
  ws_.set_option(websocket::stream_base::decorator(
      [this, answer = choice.answer](websocket::response_type& response) {
        const auto extensions = response[http::field::sec_websocket_extensions];
        deflates_ = AllowsDeflate({extensions.data(), extensions.size()});
        response.set(http::field::server,
                     boost::beast::string_view(kServerName.data(), kServerName.size()));
        if (!answer.empty()) response.set(http::field::sec_websocket_protocol, answer);
      }));
  ws_.async_accept(request,
                   [self = shared_from_this(), supported = choice.supported](ErrorCode error) {
                     if (self->state_ == State::kHandshake) self->OnAccepted(error, supported);
                   });
}

void BeastConnection::OnAccepted(ErrorCode error, bool subprotocol_supported) {
  handshake_.reset();
  ws_.set_option(websocket::stream_base::decorator([](websocket::response_type&) {}));
  if (error) {
    // Beast has queued the response that says why.
    metrics().refused_request.Add();
    Linger();
    return;
  }
  state_ = State::kOpen;
  last_life_ = last_ping_ = last_progress_ = host_.shared().clock.Monotonic();
  if (!subprotocol_supported) {
    metrics().refused_subprotocol.Add();
    Close(kCloseSubprotocol, "subprotocol not supported");
    return;
  }
  handler_ = host_.factory()(*this);
  if (state_ == State::kOpen && !reading_ && !paused_) ReadSome();
}

}  // namespace bdcsync::gateway
