// Writes distinct entities from many connections with several requests in flight on each, and
// measures acknowledgements: creates, or patches of entities that each connection has created.
// Speaks our protocol and ShareDB's, so that one generator measures both.
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
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

class WriteLoad {
 public:
  explicit WriteLoad(const Options& options)
      : options_(options), url_(ParseWsUrl(options.url)), run_(random_.Bits64()), timer_(io_) {}

  absl::StatusOr<std::string> Run() {
    for (int i = 0; i < options_.connections; ++i) Connect();
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    const double seconds = absl::ToDoubleSeconds(clock_.Monotonic() - measured_from_);
    return absl::StrFormat(R"({"operations": %d, "seconds": %.3f, "operations_per_s": %.1f, )"
                           R"("p50_ms": %.3f, "p99_ms": %.3f})",
                           latencies_.count(), seconds,
                           static_cast<double>(latencies_.count()) / seconds,
                           latencies_.Percentile(0.5), latencies_.Percentile(0.99));
  }

 private:
  struct Flight {
    absl::Duration sent;
    Written entity;
  };
  struct Writer {
    std::shared_ptr<WsPeer> peer;
    absl::flat_hash_map<uint64_t, Flight> flights;  // By request id or sequence.
    std::deque<Written> idle;                       // Entities to patch, none of them in flight.
    std::size_t entities = 0;                       // Created to be patched.
    uint64_t sequence = 0;
  };

  void Connect() {
    writers_.push_back(std::make_unique<Writer>());
    Writer* writer = writers_.back().get();
    const std::size_t number = writers_.size();
    writer->peer = std::make_shared<WsPeer>(
        io_, reads_,
        WsPeer::Callbacks{[this, writer, number] { OnOpen(*writer, number); },
                          [this, writer](absl::string_view text) { OnText(*writer, text); },
                          [this](absl::string_view why) { Fail(why); }});
    writer->peer->Open(url_.endpoint, url_.path);
  }

  void OnOpen(Writer& writer, std::size_t number) {
    if (options_.protocol == Protocol::kShareDb) {
      writer.peer->Send(R"({"a":"hs","id":null,"protocol":1,"protocolMinor":1})");
      return;
    }
    writer.peer->Send(AuthenticateMessage(options_.token, absl::StrFormat("bench-%d", number)));
  }

  void OnText(Writer& writer, absl::string_view text) {
    if (options_.protocol == Protocol::kShareDb) return OnShareDb(writer, text);
    if (absl::StartsWith(text, R"({"type":"authenticated")")) return Ready(writer);
    const auto id = NumberAfter(text, R"("id":)");
    if (!id || !absl::StrContains(text, R"("success":true)")) return Fail(text);
    Acknowledge(writer, *id, TextAfterLast(text, R"("version_id":")"));
  }

  void OnShareDb(Writer& writer, absl::string_view text) {
    if (absl::StrContains(text, R"("a":"hs")")) return Ready(writer);
    if (absl::StrContains(text, R"("a":"init")")) return;
    const auto sequence = NumberAfter(text, R"("seq":)");
    if (!sequence || absl::StrContains(text, R"("error")")) return Fail(text);
    Acknowledge(writer, *sequence, "");
  }

  void Ready(Writer& writer) {
    if (++ready_ == options_.connections) Begin();
  }

  void Begin() {
    for (auto& writer : writers_) {
      for (int i = 0; i < options_.in_flight; ++i) SendNext(*writer);
    }
    timer_.expires_after(absl::ToChronoMilliseconds(options_.warm_up));
    timer_.async_wait([this](auto) {
      measured_from_ = clock_.Monotonic();
      measuring_ = true;
      timer_.expires_after(absl::ToChronoMilliseconds(options_.duration));
      timer_.async_wait([this](auto) { io_.stop(); });
    });
  }

  void SendNext(Writer& writer) {
    const uint64_t number = ++number_;
    Written entity = Next(writer, number);
    const bool creates = entity.stamp == 0;
    uint64_t key = number;
    std::string message;
    if (options_.protocol == Protocol::kShareDb) {
      key = ++writer.sequence;
      message = creates ? ShareDbCreateMessage(key, entity, Data(number))
                        : ShareDbPatchMessage(key, entity, number);
    } else {
      message = creates ? CreateMessage(run_, number, entity, Data(number))
                        : PatchMessage(run_, number, entity, number);
    }
    entity.stamp = number;
    writer.peer->Send(std::move(message));
    writer.flights[key] = {clock_.Monotonic(), std::move(entity)};
  }

  std::string Data(uint64_t stamp) const { return Payload(options_.payload_bytes, stamp); }

  // One to patch, or one that is not created yet.
  Written Next(Writer& writer, uint64_t number) {
    if (writer.entities == static_cast<std::size_t>(options_.entities) && !writer.idle.empty()) {
      Written entity = std::move(writer.idle.front());
      writer.idle.pop_front();
      return entity;
    }
    if (options_.entities > 0) ++writer.entities;
    const int space = static_cast<int>(number % static_cast<uint64_t>(options_.spaces));
    return {.space = absl::StrFormat("bench-%d", space),
            .id = absl::StrFormat("%s-%d", Hex64(run_), number)};
  }

  void Acknowledge(Writer& writer, uint64_t key, absl::string_view version_id) {
    const auto flight = writer.flights.find(key);
    if (flight == writer.flights.end()) return Fail("an answer to a request that was not sent");
    if (measuring_) {
      latencies_.Add(absl::ToDoubleMilliseconds(clock_.Monotonic() - flight->second.sent));
    }
    if (options_.entities > 0) {
      Written& entity = flight->second.entity;
      entity.version_id = std::string(version_id);
      ++entity.versions;
      writer.idle.push_back(std::move(entity));
    }
    writer.flights.erase(flight);
    SendNext(writer);
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
  std::vector<std::unique_ptr<Writer>> writers_;
  Latencies latencies_;
  absl::Duration measured_from_;
  bool measuring_ = false;
  int ready_ = 0;
  uint64_t number_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunWrite(const Options& options) { return WriteLoad(options).Run(); }

}  // namespace bdcsync::bench
