#include "absl/strings/str_cat.h"
#include "clients/cli/commands.h"
#include "clients/cli/input.h"
#include "clients/cli/render.h"
#include "clients/cli/render_conflicts.h"
#include "libs/base/errors.h"
#include "libs/json/serialize.h"
#include "libs/rpc/retry.h"

namespace bdcsync::cli {
namespace {

constexpr rpc::BackoffOptions kReconnect{
    .initial = absl::Milliseconds(200), .max = absl::Seconds(10), .multiplier = 2};

v1::WatchRequest ReadRequest(const Arguments& arguments) {
  v1::WatchRequest request;
  request.set_space(arguments.Get("space"));
  request.set_cursor(arguments.Get("cursor"));
  request.set_latest(arguments.Has("latest"));
  request.set_without_data(arguments.Has("no-data"));
  for (const std::string& type : arguments.operands()) request.add_entity_types(type);
  for (const std::string& id : arguments.GetAll("id")) request.add_entity_ids(id);
  for (const std::string& name : arguments.GetAll("category")) request.add_categories(name);
  for (const std::string& branch : arguments.GetAll("branch")) request.add_branches(branch);
  return request;
}

// Whether the same watch may succeed later, so that it is worth to wait.
bool IsPassing(const absl::Status& status) {
  const Reason reason = ReasonOf(status);
  return reason == Reason::kUnavailable || reason == Reason::kDeadlineExceeded ||
         reason == Reason::kRateLimited || reason == Reason::kSlowConsumer ||
         reason == Reason::kInternal;
}

class Watcher {
 public:
  explicit Watcher(const Call& call)
      : call_(call), request_(ReadRequest(call.arguments)), backoff_(kReconnect) {}

  absl::StatusOr<int> Run() {
    while (true) {
      heard_ = false;
      const absl::Status ended = call_.client.Watch(
          request_, [this](const v1::WatchResponse& message) { return OnMessage(message); });
      if (ended.ok()) return 0;
      // The next stream has a token of its own, where one can be made.
      if (ReasonOf(ended) == Reason::kTokenExpired && heard_) continue;
      // What never worked is more likely wrong than away: say so instead of waiting for ever.
      if (!connected_ || !IsPassing(ended)) return ended;
      const absl::Duration wait = backoff_.Next(call_.environment.random);
      Note(absl::StrCat("connection lost (", ended.message(), "); trying again"));
      call_.environment.wait(wait);
    }
  }

 private:
  // False ends the watch.
  bool OnMessage(const v1::WatchResponse& message) {
    connected_ = true;
    heard_ = true;
    backoff_.Reset();
    if (message.resync()) Note("the server lost its history: the whole state follows");
    const bool json = call_.arguments.Has("json");
    std::ostream& out = call_.environment.out;
    for (const v1::Change& change : message.changes()) {
      out << (json ? json::Serialize(JsonOf(change)) + "\n" : TextOf(change));
    }
    for (const v1::ConflictNews& news : message.conflicts()) {
      out << (json ? json::Serialize(JsonOf(news)) + "\n" : TextOf(news));
    }
    if (!message.cursor().empty()) request_.set_cursor(message.cursor());
    if (json) out << json::Serialize(CursorLine(message)) << "\n";
    const bool enough = message.caught_up() && call_.arguments.Has("once");
    if (message.caught_up() && !json)
      Note(enough ? "up to date" : "up to date; waiting for changes");
    out.flush();
    return out.good() && !enough;
  }

  static json::Value CursorLine(const v1::WatchResponse& message) {
    json::Value line;
    line.Set("type", "cursor");
    line.Set("cursor", message.cursor());
    line.Set("caught_up", message.caught_up());
    if (message.resync()) line.Set("resync", true);
    return line;
  }

  // Not part of the output, which scripts read.
  void Note(absl::string_view text) const {
    call_.environment.err << "bdc-sync: " << std::string(text) << "\n";
    call_.environment.err.flush();
  }

  const Call& call_;
  v1::WatchRequest request_;
  rpc::Backoff backoff_;
  bool connected_ = false;
  bool heard_ = false;  // From this stream.
};

}  // namespace

absl::StatusOr<int> RunWatch(const Call& call) {
  if (const absl::Status wrong = CheckTypes(call.arguments); !wrong.ok()) return UsageError(wrong);
  return Watcher(call).Run();
}

}  // namespace bdcsync::cli
