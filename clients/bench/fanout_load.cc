// One writer and many subscribers of one space. Every subscriber's stream is checked to be complete
// and in order by the first and last seq of each frame, the first subscriber's by every seq.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/bench/latencies.h"
#include "clients/bench/load.h"
#include "clients/bench/wire.h"
#include "clients/bench/ws_peer.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"

namespace bdcsync::bench {
namespace {

constexpr absl::string_view kSeq = R"("seq":)";
constexpr absl::string_view kStamp = R"("stamp":)";

class FanoutLoad {
 public:
  explicit FanoutLoad(const Options& options)
      : options_(options),
        url_(ParseWsUrl(options.url)),
        run_(random_.Bits64()),
        timer_(io_),
        pace_(io_),
        space_(absl::StrFormat("fanout-%x", run_)) {}

  absl::StatusOr<std::string> Run() {
    for (int i = 0; i < options_.connections; ++i) ConnectSubscriber();
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    const double seconds = absl::ToDoubleSeconds(clock_.Monotonic() - measured_from_);
    return absl::StrFormat(
        R"({"deliveries": %d, "seconds": %.3f, "deliveries_per_s": %.1f, "events_per_s": %.1f, )"
        R"("p50_ms": %.3f, "p99_ms": %.3f})",
        deliveries_, seconds, static_cast<double>(deliveries_) / seconds,
        static_cast<double>(deliveries_) / seconds / options_.connections,
        latencies_.Percentile(0.5), latencies_.Percentile(0.99));
  }

 private:
  struct Subscriber {
    std::shared_ptr<WsPeer> peer;
    uint64_t seq = 0;
  };

  void ConnectSubscriber() {
    subscribers_.push_back(std::make_unique<Subscriber>());
    Subscriber* subscriber = subscribers_.back().get();
    const std::size_t number = subscribers_.size();
    subscriber->peer = std::make_shared<WsPeer>(
        io_, reads_,
        WsPeer::Callbacks{[this, subscriber, number] {
                            subscriber->peer->Send(AuthenticateMessage(
                                options_.token, absl::StrFormat("subscriber-%d", number)));
                          },
                          [this, subscriber](absl::string_view text) { OnText(*subscriber, text); },
                          [this](absl::string_view why) { Fail(why); }});
    subscriber->peer->Open(url_.endpoint, url_.path);
  }

  void OnText(Subscriber& subscriber, absl::string_view text) {
    if (absl::StartsWith(text, R"({"type":"authenticated")")) {
      return subscriber.peer->Send(SubscribeMessage(space_));
    }
    if (absl::StartsWith(text, R"({"type":"changes")")) return OnChanges(subscriber, text);
    if (absl::StartsWith(text, R"({"type":"error")")) Fail(text);
  }

  void OnChanges(Subscriber& subscriber, absl::string_view text) {
    const auto first = NumberAfter(text, kSeq);
    if (!first) {  // The empty message that tells an empty space is caught up.
      if (++ready_ == options_.connections) ConnectWriter();
      return;
    }
    const auto last = NumberAfterLast(text, kSeq);
    if (*first != subscriber.seq + 1) {
      return Fail(absl::StrCat("a hole: ", *first, " after ", subscriber.seq));
    }
    if (&subscriber == subscribers_.front().get() && !AllThere(text, *first, *last)) {
      return Fail("a hole inside a frame");
    }
    subscriber.seq = *last;
    Count(text, *last - *first + 1);
    if (options_.in_flight == 1 && options_.rate_per_s == 0 && subscriber.seq == written_ &&
        ++delivered_to_ == options_.connections) {
      delivered_to_ = 0;
      WriteNext();
    }
  }

  static bool AllThere(absl::string_view text, uint64_t first, uint64_t last) {
    for (uint64_t seq = first; seq <= last; ++seq) {
      const std::size_t at = text.find(kSeq);
      if (at == absl::string_view::npos || NumberAfter(text, kSeq) != seq) return false;
      text.remove_prefix(at + kSeq.size());
    }
    return true;
  }

  void Count(absl::string_view text, uint64_t events) {
    if (!measuring_) return;
    deliveries_ += events;
    if (const auto stamp = NumberAfterLast(text, kStamp)) {
      const absl::Duration sent = absl::Nanoseconds(static_cast<int64_t>(*stamp));
      latencies_.Add(absl::ToDoubleMilliseconds(clock_.Monotonic() - sent));
    }
  }

  void ConnectWriter() {
    writer_ = std::make_shared<WsPeer>(
        io_, reads_,
        WsPeer::Callbacks{[this] { writer_->Send(AuthenticateMessage(options_.token, "writer")); },
                          [this](absl::string_view text) { OnWriterText(text); },
                          [this](absl::string_view why) { Fail(why); }});
    writer_->Open(url_.endpoint, url_.path);
  }

  void OnWriterText(absl::string_view text) {
    if (absl::StartsWith(text, R"({"type":"authenticated")")) return Begin();
    if (!absl::StrContains(text, R"("success":true)")) return Fail(text);
    const bool paced = options_.rate_per_s > 0 || options_.in_flight == 1;
    if (!paced) WriteNext();
  }

  void Begin() {
    if (options_.rate_per_s > 0) {
      next_ = std::chrono::steady_clock::now();
      Pace();
    } else {
      for (int i = 0; i < options_.in_flight; ++i) WriteNext();
    }
    timer_.expires_after(absl::ToChronoMilliseconds(options_.warm_up));
    timer_.async_wait([this](auto) {
      measured_from_ = clock_.Monotonic();
      measuring_ = true;
      timer_.expires_after(absl::ToChronoMilliseconds(options_.duration));
      timer_.async_wait([this](auto) { io_.stop(); });
    });
  }

  void Pace() {
    WriteNext();
    next_ += std::chrono::nanoseconds(1'000'000'000 / options_.rate_per_s);
    pace_.expires_at(next_);
    pace_.async_wait([this](auto error) {
      if (!error) Pace();
    });
  }

  void WriteNext() {
    const auto stamp = static_cast<uint64_t>(absl::ToInt64Nanoseconds(clock_.Monotonic()));
    ++written_;
    const Written entity{.space = space_, .id = absl::StrFormat("%x-%d", run_, written_)};
    writer_->Send(CreateMessage(run_, written_, entity, Payload(options_.payload_bytes, stamp)));
  }

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why.substr(0, 500));
    io_.stop();
  }

  const Options options_;
  const WsUrl url_;
  SystemClock clock_;
  SystemRandom random_;
  const uint64_t run_;
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer pace_;
  const std::string space_;
  std::chrono::steady_clock::time_point next_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::shared_ptr<WsPeer> writer_;
  Latencies latencies_;
  absl::Duration measured_from_;
  bool measuring_ = false;
  int ready_ = 0;
  int delivered_to_ = 0;
  uint64_t written_ = 0;
  uint64_t deliveries_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunFanout(const Options& options) { return FanoutLoad(options).Run(); }

}  // namespace bdcsync::bench
