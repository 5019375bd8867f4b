// The stream under Beast's WebSocket stream: reads come from a TCP or TLS socket, writes go into
// the connection's own outgoing queue and are done at once. So pongs, closes and the handshake
// response, which Beast writes by itself, fall between our prebuilt frames and never inside one.
// Loop thread.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/role.hpp>
#include <memory>
#include <string>
#include <utility>

namespace bdcsync::gateway {

class QueuedStream {
 public:
  using executor_type = boost::asio::io_context::executor_type;
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor_type>;
  using TlsStream = boost::asio::ssl::stream<Socket&>;
  // Takes what Beast writes: a whole control frame, or a piece of the handshake response.
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual void QueueBytes(std::string bytes) = 0;
  };

  // `tls` may be null; it and `writer` are borrowed.
  QueuedStream(Socket socket, boost::asio::ssl::context* tls, Writer& writer)
      : socket_(std::move(socket)), writer_(writer) {
    if (tls != nullptr) tls_ = std::make_unique<TlsStream>(socket_, *tls);
  }
  QueuedStream(const QueuedStream&) = delete;
  QueuedStream& operator=(const QueuedStream&) = delete;

  executor_type get_executor() noexcept { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  TlsStream* tls() { return tls_.get(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::beast::error_code, std::size_t)>(
        [this](auto&& handler, const Buffers& into) {
          if (tls_ != nullptr) {
            tls_->async_read_some(into, std::forward<decltype(handler)>(handler));
          } else {
            socket_.async_read_some(into, std::forward<decltype(handler)>(handler));
          }
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::beast::error_code, std::size_t)>(
        [this](auto&& handler, const Buffers& from) {
          std::string bytes = boost::beast::buffers_to_string(from);
          const std::size_t count = bytes.size();
          if (count > 0) writer_.QueueBytes(std::move(bytes));
          boost::asio::post(get_executor(), boost::beast::bind_front_handler(
                                                std::forward<decltype(handler)>(handler),
                                                boost::beast::error_code(), count));
        },
        token, buffers);
  }

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
  Writer& writer_;
};

// Beast tears a connection down when the closing handshake is done. What is queued must leave
// first, so the connection does that itself; here there is nothing to do.
template <typename Handler>
void async_teardown(boost::beast::role_type, QueuedStream& stream, Handler&& handler) {
  boost::asio::post(
      stream.get_executor(),
      boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::beast::error_code()));
}
inline void teardown(boost::beast::role_type, QueuedStream&, boost::beast::error_code& error) {
  error = {};
}
inline void beast_close_socket(QueuedStream& stream) {
  boost::beast::error_code ignored;
  stream.socket().close(ignored);
}

}  // namespace bdcsync::gateway
