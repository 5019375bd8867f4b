// The other services as the feed's tests need them: a log in memory that answers late and fails,
// and a bus that loses, repeats and reorders, all as the test asks and from one seed. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/errors.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"
#include "libs/entity/cursor.h"
#include "services/gateway/feed/event_reader.h"
#include "services/gateway/feed/fake_loop.h"
#include "services/gateway/feed/feed_engine.h"
#include "services/gateway/feed/feed_metrics.h"

namespace bdcsync::gateway {

class FakeBus final : public bus::Bus {
 public:
  FakeBus(FakeLoop& loop, Random& random) : loop_(loop), random_(random) {}

  double lose = 0, repeat = 0, delay = 0;  // Probabilities.
  bool lets_in = true;                     // Whether subscriptions become active at once.
  absl::Status health = absl::OkStatus();

  void Publish(absl::string_view channel, std::string payload) override {
    if (random_.Fraction() < lose) return;
    const int copies = random_.Fraction() < repeat ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      const absl::Duration after = random_.Fraction() < delay
                                       ? absl::Milliseconds(random_.Bits64() % 50)
                                       : absl::ZeroDuration();
      loop_.RunAfter(after, [this, name = std::string(channel), payload] {
        const auto wishes = wishes_;
        for (Wish* wish : wishes) {
          if (!wishes_.contains(wish) || !wish->active || wish->channel != name) continue;
          wish->on_message(payload);
        }
      });
    }
  }
  std::unique_ptr<bus::Subscription> Subscribe(absl::string_view channel,
                                               bus::MessageCallback on_message,
                                               bus::GapCallback on_gap) override {
    auto wish = std::make_unique<Wish>(*this, std::string(channel), std::move(on_message),
                                       std::move(on_gap));
    if (lets_in) wish->LetIn();
    return wish;
  }
  // As after a lost connection, and what lets in who waits.
  void TellGap() {
    for (Wish* wish : wishes_) wish->LetIn();
  }
  absl::Status Health() const override { return health; }
  bus::BusStats Stats() const override { return {}; }

 private:
  struct Wish final : bus::Subscription {
    Wish(FakeBus& owner, std::string name, bus::MessageCallback message, bus::GapCallback gap)
        : bus(owner), channel(std::move(name)), on_message(std::move(message)), on_gap(gap) {
      bus.wishes_.insert(this);
    }
    ~Wish() override { bus.wishes_.erase(this); }
    void LetIn() {
      active = true;
      on_gap();
    }

    FakeBus& bus;
    const std::string channel;
    const bus::MessageCallback on_message;
    const bus::GapCallback on_gap;
    bool active = false;
  };

  FakeLoop& loop_;
  Random& random_;
  std::set<Wish*> wishes_;
};

class FakeLog final : public EventReader {
 public:
  FakeLog(FakeLoop& loop, const Clock& clock, bus::Bus& bus, Random& random)
      : loop_(loop), clock_(clock), bus_(bus), random_(random) {}

  uint64_t epoch = 7;
  double fail = 0;                              // Probability that a read fails.
  absl::Duration late = absl::Milliseconds(1);  // Reads take up to twice this.
  int64_t space_reads = 0, head_reads = 0, stream_head_reads = 0;
  std::string away;             // The server of this space gives no answer.
  int stream_heads_max = 4096;  // Of one read; more are too large together.

  // Commits one version of an entity, of `category`; a deletion when `data` is empty. Returns seq.
  int64_t Commit(const std::string& space, const std::string& entity, const std::string& data,
                 const std::string& category = "", const std::string& patch = "") {
    std::vector<event_store::v1::Event>& events = spaces_[space];
    event_store::v1::Event event;
    event.set_seq(static_cast<int64_t>(events.size()) + 1);
    event.set_kind(event_store::v1::STREAM_KIND_ENTITY);
    event.mutable_stream()->set_space(space);
    event.mutable_stream()->set_name("note:main:" + entity);
    event.set_event_id(random_.Bits64());
    event.set_time_ms(absl::ToUnixMillis(clock_.Now()));
    event.set_data(data);
    event.set_tombstone(data.empty());
    version::v1::VersionMeta meta;
    event.set_first_seq(event.seq());
    event.set_revision(1);
    for (const event_store::v1::Event& earlier : events) {
      if (earlier.stream().name() != event.stream().name()) continue;
      version::v1::VersionMeta before;
      before.ParseFromString(earlier.meta());
      event.set_first_seq(earlier.first_seq());
      event.set_revision(earlier.revision() + 1);
      meta.set_existed_before(!earlier.tombstone());
      meta.set_previous_category(before.category());
    }
    meta.set_operation(data.empty()    ? common::v1::OPERATION_KIND_DELETE
                       : patch.empty() ? common::v1::OPERATION_KIND_UPDATE
                                       : common::v1::OPERATION_KIND_PATCH);
    meta.set_outcome(common::v1::OUTCOME_APPLIED);
    meta.set_category(category);
    meta.set_patch(patch);
    meta.set_op_id("op-" + std::to_string(event.seq()));
    event.set_meta(meta.SerializeAsString());
    events.push_back(event);
    Publish(space, {event});
    return event.seq();
  }

  // Opens the conflict `id` about an entity, or closes it. Returns seq.
  int64_t CommitConflict(const std::string& space, const std::string& entity, const std::string& id,
                         bool opens) {
    std::vector<event_store::v1::Event>& events = spaces_[space];
    event_store::v1::Event event;
    event.set_seq(static_cast<int64_t>(events.size()) + 1);
    event.set_first_seq(event.seq());
    event.set_revision(1);
    event.set_kind(event_store::v1::STREAM_KIND_CONFLICT);
    event.mutable_stream()->set_space(space);
    event.mutable_stream()->set_name("!conflicts:note:" + entity);
    version::v1::OpenConflicts open;
    for (const event_store::v1::Event& earlier : events) {
      if (earlier.stream().name() != event.stream().name()) continue;
      open.ParseFromString(earlier.data());
      event.set_first_seq(earlier.first_seq());
      event.set_revision(earlier.revision() + 1);
    }
    version::v1::ConflictFact fact;
    fact.mutable_conflict()->set_conflict_id(id);
    fact.mutable_conflict()->mutable_entity()->set_space(space);
    fact.mutable_conflict()->mutable_entity()->set_entity_type("note");
    fact.mutable_conflict()->mutable_entity()->set_entity_id(entity);
    fact.mutable_conflict()->set_branch("conflict/" + id);
    fact.mutable_conflict()->set_state(opens ? conflict::v1::CONFLICT_STATE_OPEN
                                             : conflict::v1::CONFLICT_STATE_RESOLVED);
    version::v1::OpenConflicts after;
    for (const conflict::v1::Conflict& one : open.conflicts()) {
      if (one.conflict_id() != id) *after.add_conflicts() = one;
    }
    if (opens) *after.add_conflicts() = fact.conflict();
    event.set_meta(fact.SerializeAsString());
    event.set_tombstone(after.conflicts().empty());
    if (!event.tombstone()) event.set_data(after.SerializeAsString());
    events.push_back(event);
    Publish(space, {event});
    return event.seq();
  }

  void Publish(const std::string& space, const std::vector<event_store::v1::Event>& events) {
    event_store::v1::SpaceCommit commit;
    commit.set_space(space);
    commit.set_epoch(epoch);
    commit.set_first_seq(events.front().seq());
    commit.set_last_seq(events.back().seq());
    for (const auto& event : events) *commit.add_events() = event;
    bus_.Publish(SpaceChannel(space), commit.SerializeAsString());
  }
  const std::vector<event_store::v1::Event>& events(const std::string& space) {
    return spaces_[space];
  }
  // Everything is gone, and a new history begins.
  void LoseHistory() {
    spaces_.clear();
    ++epoch;
  }

  void ReadSpace(event_store::v1::ReadSpaceRequest request,
                 Done<event_store::v1::ReadSpaceResponse> done) override {
    ++space_reads;
    Answer([this, request = std::move(request)] { return Page(request); }, std::move(done));
  }
  void ReadHeads(event_store::v1::ReadHeadsRequest request,
                 Done<event_store::v1::ReadHeadsResponse> done) override {
    ++stream_head_reads;
    if (request.streams_size() > stream_heads_max) {
      loop_.RunAfter(absl::ZeroDuration(), [done = std::move(done)]() mutable {
        done(MakeError(Reason::kTooLarge, "the events together are too large"));
      });
      return;
    }
    const auto answer = [this, request = std::move(request)] {
      event_store::v1::ReadHeadsResponse response;
      for (const event_store::v1::StreamKey& key : request.streams()) {
        event_store::v1::Head& head = *response.add_heads();
        for (const event_store::v1::Event& event : spaces_[key.space()]) {
          if (event.stream().name() == key.name()) *head.mutable_event() = event;
        }
      }
      return response;
    };
    Answer(answer, std::move(done));
  }
  void GetSpaceHeads(event_store::v1::GetSpaceHeadsRequest request,
                     Done<event_store::v1::GetSpaceHeadsResponse> done) override {
    ++head_reads;
    const auto& spaces = request.spaces();
    if (!request.partial() && std::find(spaces.begin(), spaces.end(), away) != spaces.end()) {
      loop_.RunAfter(absl::ZeroDuration(), [done = std::move(done)]() mutable {
        done(MakeError(Reason::kUnavailable, "a server is away"));
      });
      return;
    }
    const auto answer = [this, request = std::move(request)] {
      event_store::v1::GetSpaceHeadsResponse response;
      for (const std::string& space : request.spaces()) {
        common::v1::SpacePosition& head = *response.add_heads();
        if (space == away) continue;
        head.set_epoch(epoch);
        head.set_seq(static_cast<int64_t>(spaces_[space].size()));
      }
      return response;
    };
    Answer(answer, std::move(done));
  }

 private:
  // The state is that of a moment between question and answer.
  template <typename Compute, typename DoneWith>
  void Answer(Compute compute, DoneWith done) {
    loop_.RunAfter(late * random_.Fraction(), [this, compute = std::move(compute),
                                               done = std::move(done)]() mutable {
      auto response = compute();
      const bool fails = random_.Fraction() < fail;
      loop_.RunAfter(late * random_.Fraction(),
                     [done = std::move(done), fails, response = std::move(response)]() mutable {
                       if (fails) {
                         done(MakeError(Reason::kUnavailable, "the log is away"));
                       } else {
                         done(std::move(response));
                       }
                     });
    });
  }
  event_store::v1::ReadSpaceResponse Page(const event_store::v1::ReadSpaceRequest& request) {
    const std::vector<event_store::v1::Event>& events = spaces_[request.space()];
    const bool latest = request.mode() == event_store::v1::SPACE_READ_MODE_LATEST;
    std::map<std::string, int64_t> last;
    for (const auto& event : events) last[event.stream().name()] = event.seq();
    event_store::v1::ReadSpaceResponse response;
    response.set_epoch(epoch);
    response.set_head_seq(static_cast<int64_t>(events.size()));
    response.set_next_seq(response.head_seq());
    int64_t bytes = 0;
    for (const auto& event : events) {
      if (event.seq() <= request.after_seq()) continue;
      if (latest && last[event.stream().name()] != event.seq()) continue;
      if (request.without_tombstones() && event.tombstone()) continue;
      bytes += static_cast<int64_t>(event.data().size());
      const bool fits = request.bytes_max() == 0 || bytes <= request.bytes_max();
      if (response.events_size() == request.limit() || (!fits && response.events_size() > 0)) {
        response.set_next_seq(response.events().rbegin()->seq());
        break;
      }
      *response.add_events() = event;
    }
    return response;
  }

  FakeLoop& loop_;
  const Clock& clock_;
  bus::Bus& bus_;
  Random& random_;
  std::map<std::string, std::vector<event_store::v1::Event>> spaces_;
};

// All that an engine depends on, for tests that inherit it.
class FakeFeedWorld {
 protected:
  explicit FakeFeedWorld(uint64_t seed = 1) : random_(seed) {}

  FeedDependencies Dependencies() { return {loop_, log_, bus_, clock_, random_, metrics_}; }
  std::string CursorAt(int64_t seq) const { return entity::EncodeCursor({log_.epoch, seq}); }

  SeededRandom random_;
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  FakeLoop loop_{clock_};
  FakeBus bus_{loop_, random_};
  FakeLog log_{loop_, clock_, bus_, random_};
  metrics::Registry registry_;
  FeedMetrics metrics_{registry_};
};

}  // namespace bdcsync::gateway
