// A text that very many edits made, by versions of a thousand edits each, half of them deletions:
// how long it takes to open it.
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/bench/latencies.h"
#include "clients/bench/load.h"
#include "clients/bench/text_peer.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/ot/compose.h"

namespace bdcsync::bench {
namespace {

constexpr int kEditsPerVersion = 1000;
constexpr int kOpenings = 20;

class TextOpenLoad {
 public:
  explicit TextOpenLoad(const Options& options)
      : options_(options), space_(absl::StrCat("open-", Hex64(random_.Bits64()))) {}

  absl::StatusOr<std::string> Run() {
    writer_ = Make("writer", true, [this](const json::Value&) { Type(); });
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    return absl::StrFormat(R"({"edits": %d, "versions": %d, "units": %d, "open_ms": %.3f})", edits_,
                           writer_->sent(), length_, latencies_.Percentile(0.5));
  }

 private:
  std::unique_ptr<TextPeer> Make(const std::string& device, bool creates,
                                 std::function<void(const json::Value&)> on_ready) {
    auto peer = std::make_unique<TextPeer>(
        io_, reads_,
        TextPeer::Target{options_.protocol, options_.url, options_.token,
                         absl::StrCat(space_, "-", device), space_, "text", options_.latency,
                         creates},
        TextPeer::Callbacks{std::move(on_ready), [](const ot::Delta&) {}, [this] { Type(); },
                            [this](absl::string_view why) { Fail(why); }});
    peer->Open();
    return peer;
  }

  // One version at a time; then the openings.
  void Type() {
    if (edits_ >= options_.edits) return OpenNext();
    ot::Delta all;
    for (int i = 0; i < kEditsPerVersion; ++i, ++edits_) {
      const bool deletes = length_ > 20'000 || (length_ > 0 && random_edits_() % 2 == 0);
      const auto place = static_cast<int64_t>(random_edits_() %
                                              static_cast<uint64_t>(length_ + (deletes ? 0 : 1)));
      ot::Delta edit;
      edit.Retain(place);
      deletes ? edit.Delete(1)
              : edit.InsertText(absl::string_view("etaoin shrdlu\n" + edits_ % 14, 1));
      length_ += deletes ? -1 : 1;
      absl::StatusOr<ot::Delta> composed = ot::Compose(all, edit);
      if (!composed.ok()) return Fail(composed.status().message());
      all = *std::move(composed);
    }
    writer_->Type(all, /*closes=*/true);
  }

  void OpenNext() {
    if (opened_ == kOpenings) return io_.stop();
    began_ = clock_.Monotonic();
    readers_.push_back(
        Make(absl::StrCat("reader-", ++opened_), false, [this](const json::Value& text) {
          latencies_.Add(absl::ToDoubleMilliseconds(clock_.Monotonic() - began_));
          if (static_cast<int64_t>(text.string().size()) != length_)
            return Fail("another text came");
          OpenNext();
        }));
  }

  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why);
    io_.stop();
  }

  const Options options_;
  SystemClock clock_;
  SystemRandom random_;
  std::mt19937_64 random_edits_{7};
  const std::string space_;
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  std::unique_ptr<TextPeer> writer_;
  std::vector<std::unique_ptr<TextPeer>> readers_;
  Latencies latencies_;
  absl::Duration began_;
  int64_t edits_ = 0;
  int64_t length_ = 0;
  int opened_ = 0;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunTextOpen(const Options& options) {
  return TextOpenLoad(options).Run();
}

}  // namespace bdcsync::bench
