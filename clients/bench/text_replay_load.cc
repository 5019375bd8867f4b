// Two clients type what two people once typed at once, each seeing of the other just what that
// person had seen: the recording says for each edit how many of the other's its author knew, which
// is what the latency between them made of it. Ends with the recorded text, or fails. Several pairs
// do so at once, each in a text of its own.
#include <array>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "clients/bench/load.h"
#include "clients/bench/text_peer.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/base/status.h"
#include "libs/json/parse.h"
#include "libs/ot/compose.h"
#include "libs/ot/document.h"
#include "libs/ot/transform.h"

namespace bdcsync::bench {
namespace {

struct Edit {
  int64_t seen = 0;      // Edits of the other that its author had seen.
  int64_t come = 0;      // Of the other that must have been committed before: at least as many.
  int64_t position = 0;  // In code points.
  int64_t deleted = 0;
  std::string inserted;
};

struct Recording {
  std::array<std::vector<Edit>, 2> edits;  // By writer.
  std::array<std::set<int64_t>, 2> cuts;   // After how many edits of a writer the other looked.
  std::string end;
};

// {"edits": [[writer, seen, come, position, deleted, inserted], …], "end": text}
absl::StatusOr<Recording> ReadRecording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  ASSIGN_OR_RETURN(const json::Value value, json::Parse(text));
  const json::Value* const edits = value.Find("edits");
  const json::Value* const end = value.Find("end");
  if (edits == nullptr || end == nullptr) return absl::InvalidArgumentError("not a recording");
  Recording recording;
  recording.end = std::string(end->string());
  for (const json::Value& edit : edits->array()) {
    const json::Array& parts = edit.array();
    ASSIGN_OR_RETURN(const int64_t writer, parts.at(0).AsInt64());
    Edit read;
    ASSIGN_OR_RETURN(read.seen, parts.at(1).AsInt64());
    ASSIGN_OR_RETURN(read.come, parts.at(2).AsInt64());
    ASSIGN_OR_RETURN(read.position, parts.at(3).AsInt64());
    ASSIGN_OR_RETURN(read.deleted, parts.at(4).AsInt64());
    read.inserted = std::string(parts.at(5).string());
    std::set<int64_t>& cuts = recording.cuts.at(1 - static_cast<size_t>(writer));
    cuts.insert(read.seen);
    cuts.insert(read.come);
    recording.edits.at(static_cast<size_t>(writer)).push_back(std::move(read));
  }
  return recording;
}

class Pair {
 public:
  struct Callbacks {
    std::function<void()> on_ready;  // Both may type.
    std::function<void()> on_done;   // All is typed and has come to both.
    std::function<void(absl::string_view why)> on_failure;
  };

  // `recording` is borrowed; reads are watched through `reads`.
  Pair(boost::asio::io_context& io, ReadWatch& reads, const Options& options,
       const Recording& recording, const std::string& space, Callbacks callbacks)
      : recording_(recording), callbacks_(std::move(callbacks)) {
    for (size_t number : {0, 1}) Make(io, reads, options, number, space);
  }

  void Open() { writers_[0].peer->Open(); }
  void Begin() {
    Go(0);
    Go(1);
  }
  bool EndsAsRecorded() const {
    return writers_[0].view.Text() == recording_.end && writers_[1].view.Text() == recording_.end;
  }
  uint64_t sent() const { return writers_[0].peer->sent() + writers_[1].peer->sent(); }

 private:
  struct Writer {
    std::unique_ptr<TextPeer> peer;
    ot::Document view;           // What its user sees.
    std::deque<ot::Delta> held;  // What came and is not shown, to be done to `view` in order.
    int64_t shown = 0;           // Edits of the other that are.
    size_t typed = 0;
    std::deque<int64_t> sizes;  // Edits in each of its operations that the other has not shown.
  };

  void Make(boost::asio::io_context& io, ReadWatch& reads, const Options& options, size_t number,
            const std::string& space) {
    Writer& writer = writers_[number];
    writer.peer = std::make_unique<TextPeer>(
        io, reads,
        TextPeer::Target{options.protocol, options.url, options.token,
                         absl::StrCat(space, "-", number), space, "text", options.latency,
                         /*creates=*/number == 0},
        TextPeer::Callbacks{[this, number](const json::Value&) { OnReady(number); },
                            [this, number](const ot::Delta& theirs) {
                              writers_[number].held.push_back(theirs);
                              Go(number);
                            },
                            [this, number] { Go(number); },
                            [this](absl::string_view why) { Fail(why); }});
  }

  void OnReady(size_t number) {
    if (number == 0) return writers_[1].peer->Open();
    callbacks_.on_ready();
  }

  // Types until what its author had seen has not arrived.
  void Go(size_t number) {
    Writer& writer = writers_[number];
    const std::vector<Edit>& edits = recording_.edits[number];
    while (!failed_ && writer.typed < edits.size()) {
      const Edit& next = edits[writer.typed];
      if (Come(number) < next.come) return;
      while (!failed_ && writer.shown < next.seen) Show(number);
      // As far as neither looks at what the other did.
      size_t end = writer.typed + 1;
      while (end < edits.size() && edits[end].seen == next.seen && edits[end].come == next.come &&
             !recording_.cuts[number].contains(static_cast<int64_t>(end))) {
        ++end;
      }
      Type(number, end);
    }
    while (!writer.held.empty()) Show(number);
    const auto done = [this](size_t i) {
      return writers_[i].peer->settled() && writers_[i].held.empty() &&
             writers_[i].typed == recording_.edits[i].size() &&
             writers_[i].shown == static_cast<int64_t>(recording_.edits[1 - i].size());
    };
    if (!done(0) || !done(1) || ended_) return;
    ended_ = true;
    callbacks_.on_done();
  }

  // Edits of the other that have arrived here.
  int64_t Come(size_t number) const {
    const std::deque<int64_t>& sizes = writers_[1 - number].sizes;
    const auto arrived = static_cast<std::ptrdiff_t>(writers_[number].held.size());
    return std::accumulate(sizes.begin(), sizes.begin() + arrived, writers_[number].shown);
  }

  void Show(size_t number) {
    Writer& writer = writers_[number];
    std::deque<int64_t>& sizes = writers_[1 - number].sizes;
    if (writer.held.empty() || sizes.empty()) return Fail("the recording does not fit itself");
    const absl::Status applied = writer.view.Apply(writer.held.front());
    if (!applied.ok()) return Fail(applied.message());
    writer.held.pop_front();
    writer.shown += sizes.front();
    sizes.pop_front();
  }

  // Types a stretch, as one operation that stays apart.
  void Type(size_t number, size_t end) {
    Writer& writer = writers_[number];
    const auto edits = static_cast<int64_t>(end - writer.typed);
    ot::Delta all;
    for (; writer.typed < end; ++writer.typed) {
      const Edit& edit = recording_.edits[number][writer.typed];
      const int64_t from = writer.view.UnitOfPoint(edit.position);
      const int64_t to = writer.view.UnitOfPoint(edit.position + edit.deleted);
      const ot::Delta ours = ot::Delta().Retain(from).InsertText(edit.inserted).Delete(to - from);
      const absl::Status applied = writer.view.Apply(ours);
      if (!applied.ok()) return Fail(applied.message());
      absl::StatusOr<ot::Delta> composed = ot::Compose(all, ours);
      if (!composed.ok()) return Fail(composed.status().message());
      all = *std::move(composed);
    }
    for (ot::Delta& theirs : writer.held) {
      ot::Delta moved = ot::Transform(theirs, all, ot::Priority::kThis);
      theirs = ot::Transform(all, theirs, ot::Priority::kOther);
      all = std::move(moved);
    }
    writer.sizes.push_back(edits);
    writer.peer->Type(all, /*closes=*/true);
  }

  void Fail(absl::string_view why) {
    failed_ = true;
    callbacks_.on_failure(why);
  }

  const Recording& recording_;
  const Callbacks callbacks_;
  std::array<Writer, 2> writers_;
  bool failed_ = false;
  bool ended_ = false;
};

class TextReplayLoad {
 public:
  TextReplayLoad(const Options& options, Recording recording)
      : options_(options), recording_(std::move(recording)) {}

  absl::StatusOr<std::string> Run() {
    for (int number = 0; number < options_.pairs; ++number) {
      const std::string space = absl::StrCat("replay-", Hex64(random_.Bits64()));
      pairs_.push_back(
          std::make_unique<Pair>(io_, reads_, options_, recording_, space,
                                 Pair::Callbacks{[this] { OnReady(); }, [this] { OnDone(); },
                                                 [this](absl::string_view why) { Fail(why); }}));
    }
    for (const std::unique_ptr<Pair>& pair : pairs_) pair->Open();
    io_.run();
    if (!error_.empty()) return absl::UnavailableError(error_);
    const size_t edits = (recording_.edits[0].size() + recording_.edits[1].size()) * pairs_.size();
    const double seconds = absl::ToDoubleSeconds(clock_.Monotonic() - started_);
    uint64_t operations = 0;
    for (const std::unique_ptr<Pair>& pair : pairs_) {
      if (!pair->EndsAsRecorded()) return absl::DataLossError("the text is not the recorded one");
      operations += pair->sent();
    }
    return absl::StrFormat(
        R"({"edits": %d, "seconds": %.3f, "edits_per_s": %.1f, "operations": %d})", edits, seconds,
        static_cast<double>(edits) / seconds, operations);
  }

 private:
  // All begin together.
  void OnReady() {
    if (++ready_ < pairs_.size()) return;
    started_ = clock_.Monotonic();
    for (const std::unique_ptr<Pair>& pair : pairs_) pair->Begin();
  }
  void OnDone() {
    if (++done_ == pairs_.size()) io_.stop();
  }
  void Fail(absl::string_view why) {
    if (error_.empty()) error_ = std::string(why);
    io_.stop();
  }

  const Options options_;
  const Recording recording_;
  SystemClock clock_;
  SystemRandom random_;
  boost::asio::io_context io_{1};
  ReadWatch reads_{io_};
  std::vector<std::unique_ptr<Pair>> pairs_;
  size_t ready_ = 0;
  size_t done_ = 0;
  absl::Duration started_;
  std::string error_;
};

}  // namespace

absl::StatusOr<std::string> RunTextReplay(const Options& options) {
  ASSIGN_OR_RETURN(Recording recording, ReadRecording(options.recording));
  return TextReplayLoad(options, std::move(recording)).Run();
}

}  // namespace bdcsync::bench
