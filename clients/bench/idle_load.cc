// Holds many authenticated sessions with one subscription each, so that somebody else can look at
// the gateway's memory. Prints a line when all are there and ends with standard input.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "clients/bench/load.h"
#include "clients/bench/wire.h"
#include "clients/bench/ws_peer.h"

namespace bdcsync::bench {
namespace {

constexpr int kOpeningMax = 64;  // Handshakes at a time.

class IdleLoad {
 public:
  explicit IdleLoad(const Options& options)
      : options_(options), url_(ParseWsUrl(options.url)), input_(io_, dup(STDIN_FILENO)) {}

  absl::StatusOr<std::string> Run() {
    for (int i = 0; i < std::min(kOpeningMax, options_.connections); ++i) ConnectNext();
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    return absl::StrFormat(R"({"connections": %d})", ready_);
  }

 private:
  void ConnectNext() {
    const int number = static_cast<int>(peers_.size());
    auto peer = std::make_shared<WsPeer>(
        io_, reads_,
        WsPeer::Callbacks{[this, number] {
                            peers_[number]->Send(AuthenticateMessage(
                                options_.token, absl::StrFormat("idle-%d", number)));
                          },
                          [this, number](absl::string_view text) { OnText(number, text); },
                          [this](absl::string_view why) { Fail(why); }});
    peers_.push_back(peer);
    peer->Open(url_.endpoint, url_.path);
  }

  void OnText(int number, absl::string_view text) {
    if (absl::StartsWith(text, R"({"type":"authenticated")")) {
      return peers_[number]->Send(
          SubscribeMessage(absl::StrFormat("bench-%d", number % options_.spaces)));
    }
    if (absl::StartsWith(text, R"({"type":"error")")) return Fail(text);
    if (!absl::StartsWith(text, R"({"type":"changes")")) return;
    ++ready_;
    if (static_cast<int>(peers_.size()) < options_.connections) return ConnectNext();
    if (ready_ < options_.connections) return;
    std::printf("ready\n");
    std::fflush(stdout);
    input_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](auto) { io_.stop(); });
  }

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why.substr(0, 500));
    io_.stop();
  }

  const Options options_;
  const WsUrl url_;
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  boost::asio::posix::stream_descriptor input_;
  std::vector<std::shared_ptr<WsPeer>> peers_;
  int ready_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunIdle(const Options& options) { return IdleLoad(options).Run(); }

}  // namespace bdcsync::bench
