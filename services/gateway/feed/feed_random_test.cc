// Random commits, a bus that loses, repeats, reorders and reconnects, a store that fails, slow
// sinks, pauses and reconnects: every subscriber sees what it must, once, in order. The oracle
// below shares no code with the feed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "libs/testing/status_matchers.h"
#include "services/gateway/feed/fake_feed_world.h"
#include "services/gateway/feed/fake_sink.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/session_subscriptions.h"

namespace bdcsync::gateway {
namespace {

constexpr char kSpace[] = "user:ada";
constexpr int kEntities = 12;
constexpr int kSteps = 400;
constexpr size_t kRoomBytes = 100;

// A client: applies what it is told to its own copy, keeps its cursor, and comes back with it.
struct Client {
  std::unique_ptr<FakeSink> sink = std::make_unique<FakeSink>();
  SubscriptionSpec spec;
  bool whole_history = false;  // From the beginning; every event, the strictest, or the latest.
  bool subscribed = false;
  bool paused = false;
  std::map<std::string, std::string> copy;  // Data by entity.
  int64_t last_seq = 0;
  std::vector<std::string> told;
  std::vector<int64_t> told_of_conflicts;  // Seqs, of the strictest only.
  std::map<std::string, bool> conflicts;   // Whether open, as last told.
  std::map<std::string, int64_t> news_of;  // The last seq told about the conflicts of an entity.
  size_t taken = 0;                        // Messages of the sink already applied.
};

class Simulation : private FakeFeedWorld {
 public:
  explicit Simulation(uint64_t seed) : FakeFeedWorld(seed) {
    caller_.user_id = "ada";
    limits_.ring_events_max = 1 + random_.Bits64() % 40;
    limits_.page_events_max = static_cast<int32_t>(1 + random_.Bits64() % 10);
    limits_.sink_queued_bytes_max = kRoomBytes;
    if (Chance(2)) limits_.batch_bytes_max = 1 + random_.Bits64() % 20;
    limits_.silent_events_max = 5;
    limits_.linger = absl::Seconds(2);
    engine_.emplace(Dependencies(), limits_);
    subscriptions_.emplace(*engine_, loop_, limits_.sink_queued_bytes_max);
    log_.late = absl::Milliseconds(20);
    for (int i = 0; i < 12; ++i) MakeClient(i);
  }

  void Run() {
    bus_.lose = Chance(3) ? 0.3 : 0;
    bus_.repeat = Chance(2) ? 0.3 : 0;
    bus_.delay = Chance(2) ? 0.5 : 0;
    log_.fail = Chance(2) ? 0.2 : 0;
    for (int step = 0; step < kSteps; ++step) {
      Step();
      Apply();
    }
    bus_.lose = bus_.repeat = bus_.delay = log_.fail = 0;
    for (int round = 0; round < 200; ++round) {
      for (Client& client : clients_) Heal(client);
      loop_.RunFor(absl::Milliseconds(100));
      Apply();
    }
    for (size_t i = 0; i < clients_.size(); ++i) {
      SCOPED_TRACE(::testing::Message() << "client " << i);
      Check(clients_[i]);
    }
    for (int i = 0; i < 10; ++i) CheckWhoComesLate();
  }

 private:
  bool Chance(uint64_t one_in) { return random_.Bits64() % one_in == 0; }

  void MakeClient(int number) {
    Client& client = clients_.emplace_back();
    client.spec.space = kSpace;
    if (number % 2 == 1) client.spec.mode = SubscriptionMode::kLatest;
    if (number % 3 == 1) client.spec.filter.categories = {"work"};
    if (number % 3 == 2) client.spec.filter.entity_ids = {"e1", "e2", "e3"};
    client.whole_history = number % 4 == 0 || number == 5 || number == 9;
    if (client.whole_history) client.spec.cursor = entity::EncodeCursor({log_.epoch, 0});
  }

  void Step() {
    switch (random_.Bits64() % 9) {
      case 8: {
        const std::string entity = "e" + std::to_string(random_.Bits64() % 4);
        const std::string id = entity + "-c" + std::to_string(random_.Bits64() % 3);
        bool& open = open_conflicts_[id];
        open = !open;
        log_.CommitConflict(kSpace, entity, id, open);
        break;
      }
      case 0:
      case 1:
      case 2:
      case 3: {
        const std::string entity = "e" + std::to_string(random_.Bits64() % kEntities);
        const std::string data = Chance(5) ? "" : std::to_string(random_.Bits64() % 1000);
        if (data.empty() && !truth_.contains(entity)) break;
        const std::string category = Chance(2) ? "work" : "home";
        log_.Commit(kSpace, entity, data, category);
        if (data.empty()) {
          truth_.erase(entity);
        } else {
          truth_[entity] = {data, category};
        }
        break;
      }
      case 4:
        if (Chance(4)) bus_.TellGap();
        break;
      default:
        Disturb(clients_[random_.Bits64() % clients_.size()]);
    }
    loop_.RunFor(absl::Milliseconds(random_.Bits64() % 30));
  }

  void Disturb(Client& client) {
    if (!client.subscribed) {
      Subscribe(client);
      return;
    }
    switch (random_.Bits64() % 5) {
      case 0:
        client.sink->queued_per_frame = client.sink->queued_per_frame == 0 ? kRoomBytes / 2 : 0;
        break;
      case 1:
        client.paused = true;
        subscriptions_->Pause(client.sink.get(), "s");
        break;
      case 2:
        client.paused = false;
        subscriptions_->Resume(client.sink.get(), "s");
        break;
      case 3:  // The connection is lost; what was sent and not read goes with it.
        Reconnect(client);
        break;
      default:
        client.sink->queued = 0;
        subscriptions_->SinkDrained(client.sink.get());
    }
  }

  void Subscribe(Client& client) {
    client.subscribed = true;
    client.paused = false;
    FakeSink& sink = *client.sink;
    subscriptions_->Subscribe(std::make_shared<const Caller>(caller_), "s", client.spec, &sink,
                              [&client, &sink](absl::StatusOr<Subscribed> subscribed) {
                                if (client.sink.get() == &sink && !subscribed.ok())
                                  client.subscribed = false;
                              });
  }

  void Reconnect(Client& client) {
    Apply();
    subscriptions_->RemoveSink(client.sink.get());
    old_sinks_.push_back(std::exchange(client.sink, std::make_unique<FakeSink>()));
    client.taken = 0;
    client.subscribed = false;
  }

  void Heal(Client& client) {
    if (!client.subscribed) Subscribe(client);
    client.sink->queued_per_frame = client.sink->queued = 0;
    if (client.paused) subscriptions_->Resume(client.sink.get(), "s");
    client.paused = false;
    subscriptions_->SinkDrained(client.sink.get());
  }

  void Apply() {
    for (Client& client : clients_) {
      ASSERT_TRUE(client.sink->resyncs.empty());
      ASSERT_OK(client.sink->ended);
      for (; client.taken < client.sink->messages.size(); ++client.taken) {
        const FakeSink::Message& message = client.sink->messages[client.taken];
        for (const json::Value& event : message.events) Apply(client, event);
        if (message.conflict.has_value()) ApplyConflict(client, *message.conflict);
        if (message.cursor.empty()) continue;
        const entity::Cursor cursor = *entity::DecodeCursor(message.cursor);
        ASSERT_GE(cursor.seq, client.last_seq);
        client.last_seq = cursor.seq;
        client.spec.cursor = message.cursor;
      }
    }
  }

  void Apply(Client& client, const json::Value& event) {
    const int64_t seq = *event.Find("seq")->AsInt64();
    const std::string kind = *event.Find("kind")->AsString();
    const std::string entity = *event.Find("entity_id")->AsString();
    ASSERT_GT(seq, client.last_seq) << "skipped, repeated or out of order";
    client.last_seq = seq;
    client.told.push_back(absl::StrCat(seq, " ", kind, " ", entity));
    const bool had = client.copy.contains(entity);
    if (client.spec.mode == SubscriptionMode::kChanges && kind == "update") {
      ASSERT_TRUE(had) << client.told.back();
    }
    if (client.whole_history && client.spec.mode == SubscriptionMode::kChanges) {
      ASSERT_EQ(had, kind != "enter") << client.told.back();
    }
    if (kind == "enter" || kind == "update") {
      client.copy[entity] = json::Serialize(*event.Find("data"));
    } else {
      ASSERT_EQ(event.Find("data"), nullptr);
      client.copy.erase(entity);
    }
  }

  void ApplyConflict(Client& client, const json::Value& news) {
    const int64_t seq = *news.Find("seq")->AsInt64();
    ASSERT_GT(seq, client.last_seq) << "a conflict skipped, repeated or out of order";
    const std::string id(news.Find("conflict_id")->string());
    const bool opened = news.Find("type")->string() == "conflict_opened";
    if (client.whole_history && client.spec.mode == SubscriptionMode::kChanges) {
      ASSERT_EQ(opened, !client.conflicts[id]) << seq << " " << id;
    }
    client.conflicts[id] = opened;
    client.news_of[std::string(news.Find("entity_id")->string())] = seq;
    client.told_of_conflicts.push_back(seq);
  }

  bool Wants(const Client& client, const std::string& entity, const std::string& category) const {
    const SubscriptionFilter& filter = client.spec.filter;
    return (filter.entity_ids.empty() ||
            std::find(filter.entity_ids.begin(), filter.entity_ids.end(), entity) !=
                filter.entity_ids.end()) &&
           (filter.categories.empty() || category == filter.categories[0]);
  }

  void Check(const Client& client) {
    std::map<std::string, std::string> wanted;
    for (const auto& [entity, state] : truth_) {
      if (Wants(client, entity, state.category)) wanted[entity] = state.data;
    }
    EXPECT_EQ(client.copy, wanted);
    if (!client.whole_history) return;
    if (client.spec.mode == SubscriptionMode::kLatest) {
      EXPECT_EQ(client.news_of, LastNewsAfter(client.spec.filter, 0));
      return;
    }
    CheckConflicts(client);
    // Everything that ever was in view or left it, told exactly once.
    std::vector<int64_t> seqs;
    std::set<std::string> in_view;
    for (const event_store::v1::Event& event : log_.events(kSpace)) {
      if (event.kind() != event_store::v1::STREAM_KIND_ENTITY) continue;
      version::v1::VersionMeta meta;
      meta.ParseFromString(event.meta());
      const std::string entity = event.stream().name().substr(std::string("note:main:").size());
      const bool was = in_view.contains(entity);
      const bool is = !event.tombstone() && Wants(client, entity, meta.category());
      if (was || is) seqs.push_back(event.seq());
      if (is) in_view.insert(entity);
      if (!is) in_view.erase(entity);
    }
    std::vector<int64_t> told;
    for (const std::string& line : client.told) told.push_back(std::stoll(line));
    EXPECT_EQ(told, seqs);
  }

  // Everything that was opened or closed, told exactly once.
  void CheckConflicts(const Client& client) {
    std::vector<int64_t> seqs;
    for (const event_store::v1::Event& event : log_.events(kSpace)) {
      if (event.kind() != event_store::v1::STREAM_KIND_CONFLICT) continue;
      const std::string entity =
          event.stream().name().substr(std::string("!conflicts:note:").size());
      const auto& ids = client.spec.filter.entity_ids;
      if (ids.empty() || std::find(ids.begin(), ids.end(), entity) != ids.end()) {
        seqs.push_back(event.seq());
      }
    }
    EXPECT_EQ(client.told_of_conflicts, seqs);
  }

  // Of entities that the filter matches: the seq of the last event about their conflicts, if that
  // comes after `seq`.
  std::map<std::string, int64_t> LastNewsAfter(const SubscriptionFilter& filter, int64_t seq) {
    std::map<std::string, int64_t> last;
    const std::string prefix = "!conflicts:note:";
    for (const event_store::v1::Event& event : log_.events(kSpace)) {
      if (event.seq() <= seq || event.kind() != event_store::v1::STREAM_KIND_CONFLICT) continue;
      const std::string entity = event.stream().name().substr(prefix.size());
      const auto& ids = filter.entity_ids;
      if (ids.empty() || std::find(ids.begin(), ids.end(), entity) != ids.end()) {
        last[entity] = event.seq();
      }
    }
    return last;
  }

  // Whoever wants the latest after some seq, while nothing changes, is told of each entity once, of
  // its last version, and once of its conflicts, whether it comes from recent events or the log.
  void CheckWhoComesLate() {
    const auto head = static_cast<int64_t>(log_.events(kSpace).size());
    const int64_t most = Chance(2) ? head : std::min<int64_t>(head, 40);
    const int64_t seq = head - static_cast<int64_t>(random_.Bits64() % (most + 1));
    SCOPED_TRACE(::testing::Message() << "after " << seq << " of " << head);
    Client late;
    late.spec.space = kSpace;
    late.spec.mode = SubscriptionMode::kLatest;
    late.spec.cursor = entity::EncodeCursor({log_.epoch, seq});
    if (Chance(2)) late.spec.filter.entity_ids = {"e1", "e2", "e3"};
    Subscribe(late);
    loop_.RunFor(absl::Seconds(2));
    std::map<std::string, int64_t> last;
    std::set<std::string> alive;  // After `seq`, or before it and until then.
    for (const event_store::v1::Event& event : log_.events(kSpace)) {
      if (event.kind() != event_store::v1::STREAM_KIND_ENTITY) continue;
      const std::string entity = event.stream().name().substr(std::string("note:main:").size());
      if (event.seq() > seq) last[entity] = event.seq();
      if (event.seq() <= seq && event.tombstone()) alive.erase(entity);
      if (event.seq() <= seq && !event.tombstone()) alive.insert(entity);
    }
    std::map<std::string, int64_t> told;
    for (const json::Value& event : late.sink->Events()) {
      const std::string entity(event.Find("entity_id")->string());
      EXPECT_TRUE(told.emplace(entity, *event.Find("seq")->AsInt64()).second) << entity;
      EXPECT_EQ(told[entity], last[entity]) << entity;
    }
    for (const auto& [entity, at] : last) {
      const bool wanted =
          Wants(late, entity, "") && (alive.contains(entity) || truth_.contains(entity));
      EXPECT_TRUE(!wanted || told.contains(entity)) << entity;
    }
    std::map<std::string, int64_t> news;
    for (const FakeSink::Message& message : late.sink->messages) {
      if (!message.conflict.has_value()) continue;
      const std::string entity(message.conflict->Find("entity_id")->string());
      EXPECT_TRUE(news.emplace(entity, *message.conflict->Find("seq")->AsInt64()).second) << entity;
    }
    EXPECT_EQ(news, LastNewsAfter(late.spec.filter, seq));
    EXPECT_EQ(late.sink->caught_up_count(), 1);
    subscriptions_->RemoveSink(late.sink.get());
    old_sinks_.push_back(std::move(late.sink));
  }

  struct State {
    std::string data;
    std::string category;
  };

  FeedLimits limits_;
  std::optional<FeedEngine> engine_;
  std::optional<SessionSubscriptions> subscriptions_;
  Caller caller_;
  std::deque<Client> clients_;
  std::map<std::string, State> truth_;
  std::map<std::string, bool> open_conflicts_;
  std::vector<std::unique_ptr<FakeSink>> old_sinks_;
};

class FeedRandomTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(FeedRandomTest, EverySubscriberSeesWhatItMustOnceAndInOrder) {
  SCOPED_TRACE(::testing::Message() << "seed " << GetParam());
  Simulation(GetParam()).Run();
}

INSTANTIATE_TEST_SUITE_P(Seeds, FeedRandomTest, ::testing::Range<uint64_t>(1, 61));

}  // namespace
}  // namespace bdcsync::gateway
