// A WebSocket client connection for load generation (RFC 6455, text frames, no extensions): cheap
// enough not to be the bottleneck. Frames of one turn leave in one write; reads share one buffer.
// Not thread-safe: everything runs on the io_context's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "clients/bench/read_watch.h"

namespace bdcsync::bench {

class WsPeer final : public ReadWatch::Reader, public std::enable_shared_from_this<WsPeer> {
 public:
  struct Callbacks {
    std::function<void()> on_open;
    // The payload of one text message; valid during the call.
    std::function<void(absl::string_view)> on_text;
    // The connection ended: what was wrong, or the close code.
    std::function<void(absl::string_view)> on_closed;
  };

  // All are borrowed, and the peer must stay until the run of `io` ends.
  WsPeer(boost::asio::io_context& io, ReadWatch& reads, Callbacks callbacks)
      : io_(io), reads_(reads), socket_(io), callbacks_(std::move(callbacks)) {}

  // Connects and upgrades; on_open or on_closed follows.
  void Open(const boost::asio::ip::tcp::endpoint& endpoint, absl::string_view path);
  // Queues one text message; it leaves at the end of this turn of the loop.
  void Send(absl::string_view text);
  // Ends the connection without a closing handshake; on_closed does not follow.
  void Abort();

  // ReadWatch::Reader.
  void OnReadable() override;

 private:
  void Upgrade(absl::string_view path);
  // Handles all complete frames at the start of `data`; returns how many bytes it used.
  std::size_t TakeFrames(absl::string_view data);
  void HandleFrame(unsigned opcode, absl::string_view payload);
  void ScheduleFlush();
  void Flush();
  void Fail(absl::string_view why);

  boost::asio::io_context& io_;
  ReadWatch& reads_;
  boost::asio::ip::tcp::socket socket_;
  Callbacks callbacks_;
  std::string partial_;   // The start of a frame whose end has not arrived.
  std::string message_;   // The fragments of a message so far.
  std::string outgoing_;  // Frames that have not left.
  bool upgraded_ = false;
  bool flush_scheduled_ = false;
  bool closed_ = false;
};

// The endpoint and path of ws://HOST:PORT/PATH, HOST being a name or IPv4 address of this machine.
// Exits the program with a message when `url` is malformed: load generators have no caller to tell.
struct WsUrl {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string path;
};
WsUrl ParseWsUrl(absl::string_view url);

}  // namespace bdcsync::bench
