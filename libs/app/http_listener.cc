#include "libs/app/http_listener.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/app/tls_files.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"

namespace bdcsync::app {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

constexpr uint32_t kHeaderBytesMax = 16 << 10;
constexpr uint64_t kBodyBytesMax = 1 << 20;
constexpr int kConnectionsMax = 256;
constexpr std::chrono::seconds kRequestMax{10};         // To send a request, or to take an answer.
constexpr std::chrono::milliseconds kAcceptPause{100};  // After a failed accept.

using Routes = std::map<std::string, std::map<std::string, HttpHandler>>;  // Path, method.

HttpResponse Problem(int status, absl::string_view text) {
  return {status, "text/plain; charset=utf-8", absl::StrCat(text, "\n")};
}

HttpResponse Dispatch(const Routes& routes, const HttpRequest& request) {
  const auto path = routes.find(request.path);
  if (path == routes.end()) return Problem(404, "not found");
  const bool head = request.method == "HEAD";
  const auto handler = path->second.find(head ? "GET" : request.method);
  if (handler == path->second.end()) return Problem(405, "method not allowed");
  try {
    return handler->second(request);
  } catch (const std::exception&) {
    return Problem(500, "internal error");
  }
}

HttpRequest Translate(const http::request<http::string_body>& from) {
  const std::string target(from.target());
  const std::size_t question = target.find('?');
  HttpRequest request;
  request.method = std::string(from.method_string());
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.authorization = std::string(from[http::field::authorization]);
  request.body = from.body();
  return request;
}

using PlainStream = beast::tcp_stream;
using TlsStream = boost::asio::ssl::stream<beast::tcp_stream>;

// One connection: reads a request, answers it, and so on until either side closes.
template <typename Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <typename... StreamArguments>
  Connection(const Routes& routes, int& open, StreamArguments&&... stream)
      : stream_(std::forward<StreamArguments>(stream)...), routes_(routes), open_(open) {
    ++open_;
  }
  ~Connection() { --open_; }

  void Start() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      beast::get_lowest_layer(stream_).expires_after(kRequestMax);
      stream_.async_handshake(boost::asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](beast::error_code error) {
                                if (!error) self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  void Read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(kBodyBytesMax);
    beast::get_lowest_layer(stream_).expires_after(kRequestMax);
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                       self->OnRead(error);
                     });
  }

  void OnRead(beast::error_code error) {
    if (error == http::error::body_limit || error == http::error::header_limit) {
      return Answer(Problem(413, "too large"), false, false);
    }
    if (error && error.category() == http::make_error_code(http::error::end_of_stream).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Answer(Problem(400, "bad request"), false, false);
    }
    if (error) return;  // The peer is gone or too slow: the connection closes here.
    const auto& request = parser_->get();
    Answer(Dispatch(routes_, Translate(request)), request.keep_alive(),
           request.method() == http::verb::head);
  }

  void Answer(HttpResponse from, bool keep_alive, bool head) {
    response_ = {};
    response_.result(static_cast<unsigned>(from.status));
    response_.set(http::field::content_type, from.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.keep_alive(keep_alive);
    response_.content_length(from.body.size());
    if (!head) response_.body() = std::move(from.body);
    beast::get_lowest_layer(stream_).expires_after(kRequestMax);
    http::async_write(stream_, response_,
                      [self = this->shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error && self->response_.keep_alive()) self->Read();
                      });
  }

  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  const Routes& routes_;
  int& open_;
};

}  // namespace

struct HttpListener::State {
  absl::Status Listen(const std::string& address, int port);
  void Accept();
  void Serve(tcp::socket socket);

  Routes routes;
  const TlsFiles* tls = nullptr;
  int open = 0;  // Connections; used on the listener's thread only.
  boost::asio::io_context io{1};
  tcp::acceptor acceptor{io};
  boost::asio::steady_timer pause{io};
  std::thread thread;
};

absl::Status HttpListener::State::Listen(const std::string& address, int wanted) {
  beast::error_code error;
  const std::string number = address == "localhost" ? "127.0.0.1" : address;
  const auto ip = boost::asio::ip::make_address(number, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("listen_address: '", address, "' is not an IP address"));
  }
  const tcp::endpoint endpoint(ip, static_cast<uint16_t>(wanted));
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(boost::asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) {
    return MakeError(
        Reason::kUnavailable,
        absl::StrCat("cannot listen for HTTP on ", address, ":", wanted, " (", error.message(),
                     "): is another process using the port? Set http.port or "
                     "listen_address to another one"));
  }
  return absl::OkStatus();
}

void HttpListener::State::Accept() {
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) {  // Out of descriptors, most likely: try again a little later.
      pause.expires_after(kAcceptPause);
      pause.async_wait([this](beast::error_code cancelled) {
        if (!cancelled) Accept();
      });
      return;
    }
    if (open < kConnectionsMax) Serve(std::move(socket));
    Accept();
  });
}

void HttpListener::State::Serve(tcp::socket socket) {
  if (tls == nullptr) {
    std::make_shared<Connection<PlainStream>>(routes, open, std::move(socket))->Start();
    return;
  }
  const auto context = tls->context();  // The connection keeps what it needs of it.
  std::make_shared<Connection<TlsStream>>(routes, open, PlainStream(std::move(socket)), *context)
      ->Start();
}

HttpListener::HttpListener() : state_(std::make_unique<State>()) {}

HttpListener::~HttpListener() { Stop(); }

void HttpListener::AddRoute(absl::string_view method, absl::string_view path, HttpHandler handler) {
  state_->routes[std::string(path)][std::string(method)] = std::move(handler);
}

absl::Status HttpListener::Start(const std::string& address, int port, const TlsFiles* tls) {
  state_->tls = tls;
  RETURN_IF_ERROR(state_->Listen(address, port));
  port_ = state_->acceptor.local_endpoint().port();
  state_->Accept();
  state_->thread = std::thread([this] { state_->io.run(); });
  return absl::OkStatus();
}

void HttpListener::Stop() {
  if (state_ == nullptr) return;
  state_->io.stop();
  if (state_->thread.joinable()) state_->thread.join();
  state_.reset();  // Closes what is open.
}

}  // namespace bdcsync::app
