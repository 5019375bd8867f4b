// The feed of one loop: follows every space that has a subscriber, through the bus when it works
// and through the log when it does not, and shares reads and memory between spaces. All methods on
// the loop's thread; what the bus and the store call back with is posted to it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/bus/bus.h"
#include "services/gateway/feed/event_reader.h"
#include "services/gateway/feed/feed_limits.h"
#include "services/gateway/feed/feed_subscription.h"
#include "services/gateway/feed/head_query.h"
#include "services/gateway/feed/space_feed.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class FeedMetrics;

// The bus channel that commits of a space are published to, as event_store.v1.SpaceCommit.
std::string SpaceChannel(absl::string_view space);

struct FeedDependencies {
  Loop& loop;
  EventReader& reader;
  bus::Bus& bus;
  const Clock& clock;
  Random& random;
  FeedMetrics& metrics;
};

class FeedEngine final : private SpaceFeedHost {
 public:
  // What the dependencies refer to is borrowed.
  FeedEngine(FeedDependencies dependencies, FeedLimits limits);
  ~FeedEngine() override;

  // Begins `subscription`, which is borrowed until Remove, OnResync, OnEnded or a failed OnStarted.
  void Subscribe(const SubscriptionSpec& spec, std::optional<entity::Cursor> cursor,
                 FeedSubscription& subscription);
  // Nothing is called any more. The object must live on until the next turn of the loop.
  void Remove(FeedSubscription& subscription);
  void Pause(FeedSubscription& subscription);
  void Resume(FeedSubscription& subscription);
  // There is room again.
  void Drained(FeedSubscription& subscription);

  // What is committed from now on to spaces that are followed here, in order: by space.
  using Watcher = absl::AnyInvocable<void(const std::string&, absl::Span<const FeedEventPtr>)>;
  void WatchEvents(Watcher watcher) { watcher_ = std::move(watcher); }
  // The latest events of a space; null when it is not followed.
  const EventRing* Recent(absl::string_view space) const;

  // The head of any space, read in a batch with others; `done` on the loop, also within the call.
  void GetHead(absl::string_view space,
               absl::AnyInvocable<void(absl::StatusOr<entity::Cursor>)> done);

 private:
  struct Followed;
  using HeadDone = absl::AnyInvocable<void(absl::StatusOr<entity::Cursor>)>;

  uint64_t WantHead(SpaceFeed& feed) override;
  void WantRead(SpaceFeed& feed) override;
  void WantFlush(SpaceFeed& feed) override;
  void OnEvents(SpaceFeed& feed, absl::Span<const FeedEventPtr> events) override;
  absl::Duration NextResyncDelay() override;

  Followed& Follow(absl::string_view space);
  std::shared_ptr<const EntityFilter> Intern(const SubscriptionFilter& filter);
  void OnHead(absl::string_view space, uint64_t call, const absl::StatusOr<entity::Cursor>& head);
  void PumpReads();
  void StartRead(Followed& followed, const SpaceFeed::ReadPlan& plan);
  void OnPage(const std::string& space, const SpaceFeed::ReadPlan& plan,
              absl::StatusOr<event_store::v1::ReadSpaceResponse> page);
  void OnCommit(const std::string& space, event_store::v1::SpaceCommit commit);
  void RetryLater();
  void FlushAll();
  void Flush(Followed& followed);
  absl::Duration FlushDelay(const Followed& followed) const;
  void Tick();
  void ForgetDown(size_t bytes);
  // A callback for any thread that runs `task` on the loop, unless this object is gone by then.
  template <typename Task>
  auto Posting(Task task);

  const FeedDependencies to_;
  const FeedLimits limits_;
  // Shared with what is posted, which must know whether this object still exists.
  const std::shared_ptr<bool> alive_;
  HeadQuery heads_;
  Watcher watcher_;
  absl::flat_hash_map<std::string, std::unique_ptr<Followed>> spaces_;
  absl::flat_hash_map<std::string, std::weak_ptr<const EntityFilter>> filters_;
  absl::flat_hash_map<std::string, std::vector<HeadDone>> head_waiters_;
  std::deque<Followed*> reads_;
  std::vector<Followed*> flushes_;
  size_t reads_in_flight_ = 0;
  absl::Duration retry_after_;
  bool retry_waits_ = false;
  absl::Duration resync_until_;  // Monotonic: when the last client that was told comes back.
  TimerId tick_ = kNoTimer;
  TimerId retry_ = kNoTimer;
};

}  // namespace bdcsync::gateway
