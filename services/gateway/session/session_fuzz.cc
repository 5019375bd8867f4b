// One session, and all that happens around it, in any order: a client that writes, reads and
// subscribes, answers that come late, access that ends, a peer that does not read, the end of the
// connection. The input is steps of two bytes: what happens, and to what. Whatever the order,
// nothing of a space comes after the client was told to purge it, and nothing is left in the end.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "libs/base/ids.h"
#include "libs/json/parse.h"
#include "services/gateway/auth/key_ring.h"
#include "services/gateway/auth/token_mint.h"
#include "services/gateway/auth/token_verifier.h"
#include "services/gateway/session/metrics.h"
#include "services/gateway/session/session.h"
#include "services/gateway/session/session_directory.h"
#include "services/gateway/session/testing/fake_desk.h"
#include "services/gateway/session/testing/fakes.h"
#include "services/gateway/session/testing/manual_loop.h"

namespace bdcsync::gateway {
namespace {

constexpr char kSecret[] = "the secret of the session fuzzer";
constexpr std::array<absl::string_view, 3> kSpaces = {"user:ada", "team-1", "team-2"};

void Require(bool holds) {
  if (!holds) std::abort();
}

absl::string_view SpaceOf(uint8_t argument) { return kSpaces[argument % kSpaces.size()]; }

// With an id for every second argument: answers to the others keep their order.
std::string Message(absl::string_view type, uint8_t argument, absl::string_view more) {
  return absl::StrCat("{\"type\":\"", type, "\",", (argument & 0x80) != 0 ? "\"id\":1," : "",
                      "\"space\":\"", SpaceOf(argument), "\"", more, "}");
}

template <typename Queue>
bool TakeAt(Queue& queue, uint8_t argument, typename Queue::value_type& taken) {
  if (queue.empty()) return false;
  const auto at = queue.begin() + argument % queue.size();
  taken = std::move(*at);
  queue.erase(at);
  return true;
}

// Keeps to the contract of Subscriptions, and no more.
class Feed final : public Subscriptions {
 public:
  struct Entry {
    std::string id;
    std::string space;
    SubscriptionSink* sink = nullptr;
    Done done;  // Empty once it has started.
  };
  void Subscribe(std::shared_ptr<const Caller> caller, std::string id, SubscriptionSpec spec,
                 SubscriptionSink* sink, Done done) override {
    if (AccessTo(*caller, spec.space) == Access::kNone) {
      return done(MakeErrorAt(Reason::kForbidden, "space", "this space may not be read"));
    }
    entries.push_back({std::move(id), std::move(spec.space), sink, std::move(done)});
  }
  void Unsubscribe(SubscriptionSink*, absl::string_view id) override {
    std::erase_if(entries, [&](const Entry& entry) { return entry.id == id; });
  }
  void Pause(SubscriptionSink*, absl::string_view) override {}
  void Resume(SubscriptionSink*, absl::string_view) override {}
  void SinkDrained(SubscriptionSink*) override {}
  void RemoveSink(SubscriptionSink*) override { entries.clear(); }
  void GetEpoch(std::string, EpochDone done) override { epochs.push_back(std::move(done)); }

  void Start(Entry& entry, bool good) {
    if (!entry.done) return;
    Done done = std::exchange(entry.done, nullptr);
    absl::StatusOr<Subscribed> started = Subscribed{"c", "h"};
    if (!good) {
      started = MakeError(Reason::kUnavailable, "away");
      Unsubscribe(entry.sink, std::string(entry.id));
    }
    done(std::move(started));
  }
  void Send(const Entry& entry) {
    if (entry.done) return;
    (void)entry.sink->queued_bytes();
    entry.sink->SendFrame(
        entry.id, MakeTextFrame(absl::StrCat("{\"type\":\"changes\",\"subscription_id\":\"",
                                             entry.id, "\",\"space\":\"", entry.space, "\"}")));
  }
  void End(uint8_t argument, bool resync) {
    Entry ended;
    if (!TakeAt(entries, argument, ended) || ended.done) return;
    if (resync) {
      ended.sink->OnResync(ended.id, "lost", absl::ZeroDuration());
    } else {
      ended.sink->OnEnded(ended.id, MakeError(Reason::kInternal, "gone"));
    }
  }

  std::vector<Entry> entries;
  std::vector<EpochDone> epochs;
};

// The same for LiveChannel.
class Live final : public LiveChannel {
 public:
  explicit Live(Loop& loop) : loop_(loop) {}
  void Join(absl::string_view space, LiveSink* sink, LiveReady ready) override {
    joined_[std::string(space)] = sink;
    if (ready) waiting.emplace_back(space, std::move(ready));
  }
  void Leave(absl::string_view space, LiveSink*) override {
    joined_.erase(std::string(space));
    for (auto& [where, ready] : waiting) {
      if (where == space) loop_.Post(std::move(ready));
    }
    std::erase_if(waiting, [&](const auto& one) { return one.first == space; });
  }
  void RemoveSink(LiveSink* sink) override {
    for (const absl::string_view space : kSpaces) Leave(space, sink);
  }
  void PublishPresence(const Caller&, absl::string_view space, absl::string_view) override {}
  void PublishBroadcast(const Caller&, absl::string_view, absl::string_view,
                        absl::string_view) override {}
  void Tell(absl::string_view space, bool presence) {
    const auto sink = joined_.find(space);
    if (sink == joined_.end()) return;
    const SharedFrame frame = MakeTextFrame(absl::StrCat(
        "{\"type\":\"", presence ? "presence" : "broadcast", "\",\"space\":\"", space, "\"}"));
    if (presence) {
      sink->second->OnPresence(absl::StrCat(space, "\neve\nd"), frame);
    } else {
      sink->second->OnBroadcast(space, frame);
    }
  }

  std::vector<std::pair<std::string, LiveReady>> waiting;

 private:
  Loop& loop_;
  std::map<std::string, LiveSink*, std::less<>> joined_;
};

// What the sessions of all inputs share.
struct Shared {
  metrics::Registry registry;
  SessionMetrics metrics{registry};
  log::Logger logger = log::NullLogger();
  KeyRing keys{kSecret, ""};
};

class World {
 public:
  explicit World(Shared& shared) : shared_(shared) {
    devices_.register_at_once = false;
    services_.options.in_flight_max = 8;
    services_.options.subscriptions_max = 4;
    session_ = MakeSession(services_, connection_);
  }

  void Step(uint8_t what, uint8_t argument) {
    switch (what % 24) {
      case 0:
        return Say(absl::StrCat("{\"type\":\"authenticate\",\"device_id\":\"d\",\"token\":\"",
                                Token(argument & 0x1f), "\"}"));
      case 1:
        return Refresh(argument);
      case 2:
        return Say(Message("sync_request", argument,
                           R"(,"entity_type":"t","entity_id":"i","operation":"delete")"));
      case 3:
        return Say(Message("sync_batch", argument,
                           R"(,"operations":[{"entity_type":"t","entity_id":"i",)"
                           R"("operation":"delete"},{"entity_type":7}])"));
      case 4:
        return Say(Message("get", argument, R"(,"entity_type":"t","entity_id":"i")"));
      case 5:
        return Say(Message("list", argument, ""));
      case 6:
        return Say(Message("conflicts", argument, R"(,"conflict_id":"c")"));
      case 7:
        return Say(Message("subscribe", argument, ""));
      case 8:
        return Say(
            absl::StrCat("{\"type\":\"unsubscribe\",\"subscription_id\":\"s", argument % 8, "\"}"));
      case 9:
        return Say(Message("presence", argument,
                           (argument & 0x40) != 0 ? ",\"state\":{}" : ",\"state\":null"));
      case 10:
        return Say(Message("broadcast", argument, R"(,"topic":"t","payload":1)"));
      case 11:
        return Say(
            Message("purged", argument,
                    (argument & 0x40) != 0 ? R"(,"scope":"device")" : R"(,"scope":"space")"));
      case 12:
        return Say("no message");
      case 13:
        return AnswerWrite(argument);
      case 14:
        return AnswerRead(argument);
      case 15:
        if (feed_.entries.empty()) return;
        return feed_.Start(feed_.entries[argument % feed_.entries.size()], (argument & 0x40) == 0);
      case 16:
        for (const auto& entry : std::vector<std::string>(Ids())) SendTo(entry);
        return;
      case 17:
        return feed_.End(argument, (argument & 0x40) != 0);
      case 18:
        return live_.Tell(SpaceOf(argument), (argument & 0x40) != 0);
      case 19:
        return LetFlow(argument);
      case 20:
        return AnswerAuthentication(argument);
      case 21:
        return loop_.Advance(absl::Seconds(argument));
      case 22:
        return Congest((argument & 1) != 0);
      default:
        return Happen(argument);
    }
  }

  // The connection ends; whatever is asked is answered after it.
  void End() {
    session_->OnClosed();
    std::weak_ptr<ConnectionHandler> left = session_;
    session_.reset();
    for (uint8_t i = 0; i < 64; ++i) {
      AnswerWrite(i);
      AnswerRead(i);
      AnswerAuthentication(i);
      LetFlow(i);
    }
    loop_.RunPosted();
    Require(left.expired());
    Require(loop_.timers() == 0);
    Require(directory_.size() == 0);
    Require(feed_.entries.empty());
    Require(shared_.metrics.sessions.value() == 0);
    Require(shared_.metrics.subscriptions.value() == 0);
    Require(shared_.metrics.requests_in_flight.value() == 0);
  }

 private:
  // Of ada, or, to be refused in a refresh, of eve.
  std::string Token(uint8_t argument) {
    Caller caller;
    caller.user_id = (argument & 0x20) != 0 ? "eve" : "ada";
    if ((argument & 1) != 0) caller.spaces["team-1"] = Access::kWrite;
    if ((argument & 2) != 0) caller.spaces["team-2"] = Access::kRead;
    caller.token_expires = clock_.Now() + absl::Minutes(1 + (argument & 4));
    return MintToken(caller, clock_.Now(), kSecret);
  }
  // A connection hands on nothing while it is paused or closed.
  void Say(const std::string& text) {
    if (!connection_.paused && connection_.close_code == 0) session_->OnText(text);
    Listen();
  }
  // What its token allows may come again from then on, also before the answer.
  void Refresh(uint8_t argument) {
    const bool heard = !connection_.paused && connection_.close_code == 0;
    Say(Message("refresh", argument, absl::StrCat(",\"token\":\"", Token(argument), "\"")));
    if (!heard || device_revoked_ || (argument & 0x20) != 0) return;
    if ((argument & 1) != 0) purged_.erase("team-1");
    if ((argument & 2) != 0) purged_.erase("team-2");
  }
  void AnswerWrite(uint8_t argument) {
    FakePipeline::Submission submission;
    if (TakeAt(pipeline_.submissions, argument, submission)) submission.Apply();
  }
  template <typename Response, typename Queue>
  void AnswerFrom(Queue& queue, uint8_t argument) {
    if (queue.empty()) return;
    auto done = std::move(queue.front().done);
    queue.pop_front();
    if ((argument & 0x40) != 0) {
      done(MakeError(Reason::kNotFound, "none"));
    } else {
      done(Response());
    }
  }
  void AnswerRead(uint8_t argument) {
    if (argument % 3 == 0) AnswerFrom<sync::v1::GetEntityResponse>(reads_.gets, argument);
    if (argument % 3 == 1) AnswerFrom<sync::v1::ListEntitiesResponse>(reads_.lists, argument);
    if (argument % 3 == 2) AnswerFrom<sync::v1::GetConflictResponse>(desk_.gets, argument);
  }
  void AnswerAuthentication(uint8_t argument) {
    if ((argument & 1) == 0 && !feed_.epochs.empty()) {
      auto done = std::move(feed_.epochs.back());
      feed_.epochs.pop_back();
      done(std::string("e"));
    }
    if ((argument & 1) != 0 && devices_.register_done) {
      Registration answer;
      answer.revoked = argument % 16 == 1;
      answer.spaces = {"team-1"};
      std::exchange(devices_.register_done, nullptr)(answer);
    }
    Listen();
  }
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    for (const Feed::Entry& entry : feed_.entries) ids.push_back(entry.id);
    return ids;
  }
  void SendTo(const std::string& id) {
    for (size_t i = 0; i < feed_.entries.size(); ++i) {
      if (feed_.entries[i].id == id) return feed_.Send(feed_.entries[i]);
    }
  }
  void LetFlow(uint8_t argument) {
    std::pair<std::string, LiveReady> flows;
    if (TakeAt(live_.waiting, argument, flows)) flows.second();
    Listen();
  }
  void Congest(bool congested) {
    connection_.is_congested = congested;
    if (!congested) session_->OnDrained();
  }
  void Happen(uint8_t argument) {
    auto& session = dynamic_cast<DirectedSession&>(*session_);
    switch (argument % 5) {
      case 0:
        return session_->OnShutdown();
      case 1:
        return session.OnSuperseded();
      case 2:
        if (directory_.size() > 0) session.OnDeviceRevoked();
        return;
      case 3:
        return session.OnOutcome(sync::v1::OperationResult());
      default:
        return loop_.RunPosted();
    }
  }
  // What the client hears: whole messages, and nothing that it was told to purge.
  void Listen() {
    for (const std::string& text : std::exchange(connection_.sent, {})) {
      const auto message = json::Parse(text);
      Require(message.ok() && message->is_object());
      const absl::string_view type = message->Find("type")->string();
      const json::Value* const space = message->Find("space");
      if (type == "revoked" && space != nullptr) purged_.emplace(space->string());
      if (type == "revoked" && space == nullptr) {
        device_revoked_ = true;
        purged_.insert(kSpaces.begin(), kSpaces.end());
      }
      if (type != "changes" && type != "presence" && type != "broadcast") continue;
      Require(!purged_.contains(std::string(space->string())));
    }
  }

  Shared& shared_;
  ManualClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  ManualLoop loop_{clock_};
  SeededRandom random_{7};
  TokenVerifier tokens_{shared_.keys, clock_};
  FakePipeline pipeline_;
  FakeReads reads_;
  FakeDesk desk_;
  Feed feed_;
  Live live_{loop_};
  FakeDevices devices_;
  SessionDirectory directory_;
  SessionServices services_{loop_,      clock_,          random_,        tokens_,         pipeline_,
                            reads_,     desk_,           feed_,          live_,           devices_,
                            directory_, shared_.metrics, shared_.logger, SessionOptions()};
  FakeConnection connection_{loop_};
  std::shared_ptr<ConnectionHandler> session_;
  std::set<std::string> purged_;
  bool device_revoked_ = false;
};

}  // namespace
}  // namespace bdcsync::gateway

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& shared = *new bdcsync::gateway::Shared();
  constexpr size_t kBytesMax = 512;  // Longer stories are slower, not better.
  bdcsync::gateway::World world(shared);
  for (size_t i = 0; i + 1 < size && i < kBytesMax; i += 2) world.Step(data[i], data[i + 1]);
  world.End();
  return 0;
}
