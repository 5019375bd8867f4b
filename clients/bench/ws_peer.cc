#include "clients/bench/ws_peer.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bdcsync::bench {
namespace {

using boost::asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::size_t kReadBytes = 256 << 10;
constexpr unsigned kOpcodeContinuation = 0x0;
constexpr unsigned kOpcodeClose = 0x8;
constexpr unsigned kOpcodePing = 0x9;
constexpr unsigned kOpcodePong = 0xa;

// One buffer for all connections: they read in turn, on one thread.
std::array<char, kReadBytes>& ReadBuffer() {
  static thread_local std::array<char, kReadBytes> buffer;
  return buffer;
}

// A frame with a mask of zeros: masking costs the generator nothing and the server the usual.
void AppendFrame(unsigned opcode, absl::string_view payload, std::string& out) {
  out.push_back(static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80 | payload.size()));
  } else if (payload.size() < 65536) {
    out.push_back(static_cast<char>(0x80 | 126));
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(static_cast<char>(0x80 | 127));
    for (int shift = 56; shift >= 0; shift -= 8) {
      out.push_back(static_cast<char>(static_cast<uint64_t>(payload.size()) >> shift));
    }
  }
  out.append(4, '\0');
  out.append(payload.data(), payload.size());
}

}  // namespace

void WsPeer::Open(const tcp::endpoint& endpoint, absl::string_view path) {
  socket_.async_connect(endpoint,
                        [self = shared_from_this(), path = std::string(path)](Error error) {
                          if (error) return self->Fail(error.message());
                          self->socket_.set_option(tcp::no_delay(true));
                          self->socket_.non_blocking(true);
                          self->Upgrade(path);
                        });
}

void WsPeer::Upgrade(absl::string_view path) {
  outgoing_ = absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
                           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n",
                           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  Flush();
  reads_.Add(socket_.native_handle(), *this);
}

void WsPeer::Send(absl::string_view text) {
  AppendFrame(0x1, text, outgoing_);
  ScheduleFlush();
}

void WsPeer::Abort() {
  closed_ = true;
  Error ignored;
  socket_.close(ignored);
}

void WsPeer::ScheduleFlush() {
  if (flush_scheduled_ || closed_) return;
  flush_scheduled_ = true;
  boost::asio::post(io_, [self = shared_from_this()] { self->Flush(); });
}

void WsPeer::Flush() {
  flush_scheduled_ = false;
  if (closed_ || outgoing_.empty()) return;
  Error error;
  const std::size_t sent = socket_.write_some(boost::asio::buffer(outgoing_), error);
  if (error && error != boost::asio::error::would_block) return Fail(error.message());
  outgoing_.erase(0, sent);
  if (outgoing_.empty()) return;
  flush_scheduled_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](Error wait_error) {
    if (wait_error) return self->Fail(wait_error.message());
    self->Flush();
  });
}

void WsPeer::OnReadable() {
  if (closed_) return;
  auto& buffer = ReadBuffer();
  Error error;
  const std::size_t size = socket_.read_some(boost::asio::buffer(buffer), error);
  if (error == boost::asio::error::would_block) return;
  if (error) return Fail(error.message());
  absl::string_view data(buffer.data(), size);
  if (!partial_.empty()) {
    partial_.append(data.data(), data.size());
    const std::size_t used = TakeFrames(partial_);
    partial_.erase(0, used);
  } else {
    data.remove_prefix(TakeFrames(data));
    partial_.assign(data.data(), data.size());
  }
}

std::size_t WsPeer::TakeFrames(absl::string_view data) {
  std::size_t used = 0;
  if (!upgraded_) {
    const std::size_t end = data.find("\r\n\r\n");
    if (end == absl::string_view::npos) return 0;
    if (!absl::StrContains(data.substr(0, data.find("\r\n")), " 101 ")) {
      Fail("the server refused the upgrade");
      return data.size();
    }
    upgraded_ = true;
    used = end + 4;
    callbacks_.on_open();
  }
  while (!closed_) {
    const absl::string_view rest = data.substr(used);
    if (rest.size() < 2) break;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    std::size_t header = 2;
    uint64_t length = byte(1) & 0x7f;
    if (length >= 126) {
      const std::size_t extended = length == 126 ? 2 : 8;
      if (rest.size() < header + extended) break;
      length = 0;
      for (std::size_t i = 0; i < extended; ++i) length = length << 8 | byte(header + i);
      header += extended;
    }
    if (rest.size() < header + length) break;
    const absl::string_view payload = rest.substr(header, length);
    used += header + length;
    const unsigned opcode = byte(0) & 0x0f;
    const bool final = (byte(0) & 0x80) != 0;
    if (opcode >= kOpcodeClose || (final && message_.empty())) {
      HandleFrame(opcode, payload);
      continue;
    }
    message_.append(payload.data(), payload.size());
    if (!final) continue;
    const std::string whole = std::move(message_);
    message_.clear();
    HandleFrame(kOpcodeContinuation, whole);
  }
  return used;
}

void WsPeer::HandleFrame(unsigned opcode, absl::string_view payload) {
  switch (opcode) {
    case kOpcodeClose: {
      const unsigned code = payload.size() < 2 ? 1005
                                               : static_cast<unsigned char>(payload[0]) << 8 |
                                                     static_cast<unsigned char>(payload[1]);
      return Fail(absl::StrCat("closed with ", code));
    }
    case kOpcodePing:
      AppendFrame(kOpcodePong, payload, outgoing_);
      return ScheduleFlush();
    case kOpcodePong:
      return;
    default:
      callbacks_.on_text(payload);
  }
}

void WsPeer::Fail(absl::string_view why) {
  if (closed_) return;
  Abort();
  callbacks_.on_closed(why);
}

WsUrl ParseWsUrl(absl::string_view url) {
  absl::string_view rest = url;
  const auto refuse = [url] {
    std::fprintf(stderr, "not a WebSocket address of the form ws://HOST:PORT/PATH: %s\n",
                 std::string(url).c_str());
    std::exit(2);
  };
  if (!absl::ConsumePrefix(&rest, "ws://")) refuse();
  const std::size_t slash = rest.find('/');
  const absl::string_view authority = rest.substr(0, slash);
  const std::size_t colon = authority.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(authority.substr(colon + 1), &port)) {
    refuse();
  }
  boost::asio::io_context io;
  Error error;
  const auto found = tcp::resolver(io).resolve(tcp::v4(), std::string(authority.substr(0, colon)),
                                               std::to_string(port), error);
  if (error || found.empty()) refuse();
  return {*found.begin(), slash == absl::string_view::npos ? "/" : std::string(rest.substr(slash))};
}

}  // namespace bdcsync::bench
