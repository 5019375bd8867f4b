// Many sessions with one subscription each that all lose their gateway at once and return, as after
// a deploy: each waits a random time, connects until it is let in, and goes on from its cursor.
// Prints a line when all are there, and what it measured when all are back.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "clients/bench/latencies.h"
#include "clients/bench/load.h"
#include "clients/bench/wire.h"
#include "clients/bench/ws_peer.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"

namespace bdcsync::bench {
namespace {

constexpr int kOpeningMax = 64;  // Handshakes at a time, before the loss.
constexpr absl::Duration kRetryMin = absl::Milliseconds(100);
constexpr absl::Duration kRetryMax = absl::Seconds(2);

class ReconnectLoad {
 public:
  explicit ReconnectLoad(const Options& options)
      : options_(options),
        url_(ParseWsUrl(options.url)),
        clients_(static_cast<std::size_t>(options.connections)) {}

  absl::StatusOr<std::string> Run() {
    while (opened_ < std::min(kOpeningMax, options_.connections)) Open(opened_++);
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    return absl::StrFormat(
        R"({"connections": %d, "seconds": %.3f, "attempts": %d, "served_p50_ms": %.1f, )"
        R"("served_p99_ms": %.1f})",
        options_.connections, absl::ToDoubleSeconds(clock_.Monotonic() - lost_), attempts_,
        served_.Percentile(0.5), served_.Percentile(0.99));
  }

 private:
  struct Client {
    std::shared_ptr<WsPeer> peer;
    std::string cursor;
    absl::Duration attempt;  // When its last attempt began.
    absl::Duration retry = kRetryMin;
    bool there = false;
  };

  void Open(int number) {
    Client& client = clients_[static_cast<std::size_t>(number)];
    client.attempt = clock_.Monotonic();
    client.peer = std::make_shared<WsPeer>(
        io_, reads_,
        WsPeer::Callbacks{[this, number] {
                            PeerOf(number).Send(AuthenticateMessage(
                                options_.token, absl::StrFormat("reconnect-%d", number)));
                          },
                          [this, number](absl::string_view text) { OnText(number, text); },
                          [this, number](absl::string_view why) { OnClosed(number, why); }});
    peers_.push_back(client.peer);
    client.peer->Open(url_.endpoint, url_.path);
  }

  WsPeer& PeerOf(int number) { return *clients_[static_cast<std::size_t>(number)].peer; }

  void OnText(int number, absl::string_view text) {
    Client& client = clients_[static_cast<std::size_t>(number)];
    if (absl::StartsWith(text, R"({"type":"authenticated")")) {
      return PeerOf(number).Send(
          SubscribeMessage(absl::StrFormat("bench-%d", number % options_.spaces), client.cursor));
    }
    if (absl::StartsWith(text, R"({"type":"error")")) return Fail(text);
    if (!absl::StartsWith(text, R"({"type":"changes")")) return;
    client.cursor = std::string(TextAfterLast(text, R"("cursor":")"));
    if (!client.there && absl::EndsWith(text, R"("caught_up":true})")) OnThere(client);
  }

  void OnThere(Client& client) {
    client.there = true;
    client.retry = kRetryMin;
    ++there_;
    if (all_were_there_) {
      served_.Add(absl::ToDoubleMilliseconds(clock_.Monotonic() - client.attempt));
      if (there_ == options_.connections && lost_ > absl::ZeroDuration()) io_.stop();
      return;
    }
    if (opened_ < options_.connections) return Open(opened_++);
    if (there_ < options_.connections) return;
    all_were_there_ = true;
    std::printf("ready\n");
    std::fflush(stdout);
  }

  void OnClosed(int number, absl::string_view why) {
    if (!all_were_there_) return Fail(why);
    Client& client = clients_[static_cast<std::size_t>(number)];
    absl::Duration wait = client.retry * random_.Fraction();
    client.retry = std::min(2 * client.retry, kRetryMax);
    if (client.there) {
      client.there = false;
      --there_;
      wait = options_.return_within * random_.Fraction();
      if (lost_ == absl::ZeroDuration()) lost_ = clock_.Monotonic();
    }
    auto timer = std::make_shared<boost::asio::steady_timer>(io_, absl::ToChronoNanoseconds(wait));
    timer->async_wait([this, number, timer](auto) {
      ++attempts_;
      Open(number);
    });
  }

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why.substr(0, 500));
    io_.stop();
  }

  const Options options_;
  const WsUrl url_;
  SystemClock clock_;
  SeededRandom random_{1};
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  std::vector<Client> clients_;
  std::vector<std::shared_ptr<WsPeer>> peers_;  // All there ever were: they stay until the end.
  Latencies served_;                            // From an attempt to the place it left.
  absl::Duration lost_ = absl::ZeroDuration();
  int opened_ = 0;
  int there_ = 0;
  int attempts_ = 0;
  bool all_were_there_ = false;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunReconnect(const Options& options) {
  return ReconnectLoad(options).Run();
}

}  // namespace bdcsync::bench
