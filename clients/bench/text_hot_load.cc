// Many clients type into one text, each at a steady rate and with one operation in flight: how long
// an operation takes from when it was typed until its author sees it back. All must end with as
// many letters as were typed.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/bench/latencies.h"
#include "clients/bench/load.h"
#include "clients/bench/text_peer.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"

namespace bdcsync::bench {
namespace {

// What each does when no rate is given.
constexpr int kRateDefault = 20;

class TextHotLoad {
 public:
  explicit TextHotLoad(const Options& options)
      : options_(options), rate_(options.rate_per_s > 0 ? options.rate_per_s : kRateDefault) {}

  absl::StatusOr<std::string> Run() {
    const std::string space = absl::StrCat("hot-", Hex64(random_.Bits64()));
    for (int number = 0; number < options_.connections; ++number) Make(number, space);
    writers_[0]->peer->Open();
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    for (const auto& writer : writers_) {
      if (writer->length != typed_) return absl::DataLossError("the texts are not the same length");
    }
    return absl::StrFormat(
        R"({"operations": %d, "seconds": %.3f, "operations_per_s": %.1f, "p50_ms": %.3f, )"
        R"("p99_ms": %.3f})",
        measured_, absl::ToDoubleSeconds(options_.duration),
        static_cast<double>(measured_) / absl::ToDoubleSeconds(options_.duration),
        latencies_.Percentile(0.5), latencies_.Percentile(0.99));
  }

 private:
  struct Writer {
    explicit Writer(boost::asio::io_context& io) : pace(io) {}

    std::unique_ptr<TextPeer> peer;
    boost::asio::steady_timer pace;
    std::chrono::steady_clock::time_point next;
    int64_t length = 0;
    std::deque<absl::Duration> typed_at;
  };

  void Make(int number, const std::string& space) {
    writers_.push_back(std::make_unique<Writer>(io_));
    Writer* const writer = writers_.back().get();
    writer->peer = std::make_unique<TextPeer>(
        io_, reads_,
        TextPeer::Target{options_.protocol, options_.url, options_.token,
                         absl::StrCat(space, "-", number), space, "text", options_.latency,
                         /*creates=*/number == 0},
        TextPeer::Callbacks{[this, number](const json::Value&) { OnReady(number); },
                            [this, writer](const ot::Delta& theirs) {
                              for (const ot::Component& component : theirs.components()) {
                                if (component.inserts()) writer->length += component.length;
                              }
                              StopIfDone();
                            },
                            [this, writer] { OnAcknowledged(*writer); },
                            [this](absl::string_view why) { Fail(why); }});
  }

  void OnReady(int number) {
    if (number == 0) {
      for (size_t i = 1; i < writers_.size(); ++i) writers_[i]->peer->Open();
    }
    if (++ready_ < writers_.size()) return;
    const auto now = std::chrono::steady_clock::now();
    started_ = clock_.Monotonic();
    const std::chrono::nanoseconds interval(1'000'000'000 / rate_);
    for (size_t i = 0; i < writers_.size(); ++i) {  // Not all at one moment.
      writers_[i]->next = now + interval * i / writers_.size();
      Pace(*writers_[i]);
    }
  }

  void Pace(Writer& writer) {
    writer.pace.expires_at(writer.next);
    writer.pace.async_wait([this, &writer](auto error) {
      if (error) return;
      if (clock_.Monotonic() - started_ >= options_.warm_up + options_.duration) {
        ++finished_;
        return StopIfDone();
      }
      const auto place = static_cast<int64_t>(places_() % static_cast<uint64_t>(writer.length + 1));
      writer.typed_at.push_back(clock_.Monotonic());
      ++writer.length;
      ++typed_;
      writer.peer->Type(ot::Delta().Retain(place).InsertText("x"), /*closes=*/true);
      writer.next += std::chrono::nanoseconds(1'000'000'000 / rate_);
      Pace(writer);
    });
  }

  void OnAcknowledged(Writer& writer) {
    const absl::Duration typed_at = writer.typed_at.front();
    writer.typed_at.pop_front();
    if (typed_at - started_ >= options_.warm_up) {
      ++measured_;
      latencies_.Add(absl::ToDoubleMilliseconds(clock_.Monotonic() - typed_at));
    }
    StopIfDone();
  }

  void StopIfDone() {
    if (finished_ < writers_.size()) return;
    for (const auto& writer : writers_) {
      if (!writer->peer->settled() || writer->length < typed_) return;
    }
    io_.stop();
  }

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why);
    io_.stop();
  }

  const Options options_;
  const int rate_;
  SystemClock clock_;
  SystemRandom random_;
  std::mt19937_64 places_{7};
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  std::vector<std::unique_ptr<Writer>> writers_;
  Latencies latencies_;
  absl::Duration started_;
  size_t ready_ = 0;
  size_t finished_ = 0;
  int64_t typed_ = 0;
  uint64_t measured_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunTextHot(const Options& options) {
  return TextHotLoad(options).Run();
}

}  // namespace bdcsync::bench
