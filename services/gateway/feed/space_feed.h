// One space as the feed follows it: its recent events, how far it has come, and the subscriptions
// that are served from both. Every subscriber gets every event once and in order, whatever the bus
// loses, repeats or reorders: what is not contiguous is read from the log. Lives on one loop.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "libs/base/clock.h"
#include "services/gateway/feed/change_batch.h"
#include "services/gateway/feed/event_ring.h"
#include "services/gateway/feed/feed_limits.h"
#include "services/gateway/feed/feed_subscription.h"
#include "services/gateway/feed/stream_ends.h"

namespace bdcsync::gateway {

class FeedMetrics;

// What a space asks of the engine. All calls return before anything comes of them.
class SpaceFeedHost {
 public:
  virtual ~SpaceFeedHost() = default;
  // Read the space's head soon: OnHead follows, with this number or a higher one.
  virtual uint64_t WantHead(SpaceFeed& feed) = 0;
  // A page is needed: NextRead and OnPage follow when it is this space's turn.
  virtual void WantRead(SpaceFeed& feed) = 0;
  // Flush at the end of this turn of the loop.
  virtual void WantFlush(SpaceFeed& feed) = 0;
  // These were committed to the space, after all that came before.
  virtual void OnEvents(SpaceFeed& feed, absl::Span<const FeedEventPtr> events) = 0;
  // How long the next client that must start again is to wait.
  virtual absl::Duration NextResyncDelay() = 0;
};

class SpaceFeed {
 public:
  // A page that is being read.
  struct ReadPlan {
    int64_t after = 0;
    bool latest = false;
    bool first_sync = false;  // Without tombstones.

    friend bool operator==(const ReadPlan&, const ReadPlan&) = default;
  };

  // Everything is borrowed.
  SpaceFeed(std::string space, const FeedLimits& limits, SpaceFeedHost& host, const Clock& clock,
            FeedMetrics& metrics);

  const std::string& space() const { return space_; }
  bool known() const { return epoch_.has_value(); }
  uint64_t epoch() const { return *epoch_; }
  int64_t head() const { return ring_.end(); }
  size_t subscribers() const { return live_count_; }
  bool idle() const { return live_count_ == 0 && !reading_; }
  size_t recent_bytes() const { return ring_.bytes(); }
  const EventRing& recent() const { return ring_; }
  // Give memory back: the older half of the recent events, or what was rendered and may be again.
  void ForgetHalf();
  void ForgetBatches();

  void Add(FeedSubscription& subscription);
  void Remove(FeedSubscription& subscription);
  // Sends what the subscription may have now: after a pause, or when there is room again.
  void Continue(FeedSubscription& subscription);
  void ContinueAll();

  // From the bus, in any order, with holes and repetitions.
  void OnCommit(uint64_t epoch, int64_t first_seq, int64_t last_seq,
                const std::vector<FeedEventPtr>& events);
  void OnHead(uint64_t call, const absl::StatusOr<entity::Cursor>& head);
  // What to read now; nothing when what was missing is here by now.
  std::optional<ReadPlan> NextRead();
  // The answer; an error here is final, the engine repeats what can be repeated.
  void OnPage(const ReadPlan& plan, absl::StatusOr<event_store::v1::ReadSpaceResponse> page);
  // The page could not be read now; NextRead plans it again.
  void OnPageFailed();
  // Sends new events to everyone who is up with them.
  void Flush();

 private:
  struct Page {
    std::vector<FeedEventPtr> events;
    int64_t next_seq = 0;
    int64_t head_seq = 0;
  };
  // How a subscription stood when a page was read for it.
  struct PageView {
    std::optional<int64_t> base;  // Of a read of the latest state.
    int64_t whole_until = 0;      // The same.
    bool first_sync = false;
    View view;
  };
  // All that a batch of recent events depends on.
  struct BatchKey {
    int64_t from = 0;
    int64_t to_max = 0;
    std::shared_ptr<const EntityFilter> filter;
    std::optional<FeedSubscription::LatestRun> run;
    View view;

    friend bool operator==(const BatchKey&, const BatchKey&) = default;
  };
  // A batch made since the ring last changed. Shared: it may be forgotten while a subscriber looks
  // at it.
  struct MadeBatch {
    BatchKey key;
    std::shared_ptr<const ChangeBatch> batch;
  };
  // Of the recent events (from, to].
  struct RecentEnds {
    int64_t from;
    int64_t to;
    StreamEnds ends;
  };

  // Once the head has been read.
  void Start(FeedSubscription& subscription);
  void Advance(FeedSubscription& subscription);
  bool ServeFromRing(FeedSubscription& subscription);
  void ServeFromPage(FeedSubscription& subscription, const ReadPlan& plan, const Page& page);
  void Deliver(FeedSubscription& subscription, const ChangeBatch& batch, bool at_head);
  std::shared_ptr<const ChangeBatch> RingBatch(const FeedSubscription& subscription,
                                               int64_t to_max);
  ChangeBatch MakeRingBatch(const FeedSubscription& subscription, int64_t to_max);
  std::vector<Change> RingChanges(const FeedSubscription& subscription,
                                  absl::Span<const FeedEventPtr> events);
  const StreamEnds& EndsOf(const FeedSubscription::LatestRun& run);
  static FeedSubscription::LatestRun LatestRunOf(const FeedSubscription& subscription);
  static void EndRun(FeedSubscription& subscription);
  ChangeBatch PageBatch(const FeedSubscription& subscription, const PageView& read,
                        absl::Span<const FeedEventPtr> events, int64_t to) const;
  entity::Cursor CursorAt(const FeedSubscription& subscription, int64_t seq) const;
  void ReadLater(FeedSubscription& subscription);
  FeedSubscription* NextWaiting() const;
  bool MissesEvents() const { return target_ > head() && live_count_ > 0; }
  static ReadPlan PlanFor(const FeedSubscription& subscription);
  static bool Serves(const ReadPlan& plan, const Page& page, const FeedSubscription& waiting);
  void KeepRecent(const ReadPlan& plan, const Page& page);
  bool Append(const std::vector<FeedEventPtr>& events);
  void Resync(FeedSubscription& subscription, absl::string_view reason);
  void LoseHistory();
  void EndAll(const absl::Status& why);
  int64_t known_head() const { return std::max(head(), target_); }
  // Runs `action` on every subscription; subscriptions may come and go meanwhile.
  void ForEach(absl::FunctionRef<void(FeedSubscription&)> action);

  const std::string space_;
  const FeedLimits& limits_;
  SpaceFeedHost& host_;
  const Clock& clock_;
  FeedMetrics& metrics_;
  std::optional<uint64_t> epoch_;        // Nothing until the head was read.
  std::optional<entity::Cursor> early_;  // What the bus told before that.
  EventRing ring_;                       // Ends at the head as far as it is known without a hole.
  std::optional<absl::Time> unsent_since_;  // When the first event after the last Flush was made.
  int64_t target_ = 0;                      // The highest seq that is said to exist.
  int64_t asked_target_ = 0;                // The same when the last page was asked for.
  bool reading_ = false;
  bool gap_was_last_ = false;  // The last page closed a hole; now subscribers have a turn.
  int64_t sweep_ = 0;          // Where the last page of a catch-up ended.
  std::vector<FeedSubscription*> subscriptions_;  // Null where removed during ForEach.
  size_t live_count_ = 0;
  int iterating_ = 0;
  std::vector<MadeBatch> made_;
  std::optional<RecentEnds> ends_;  // Of the last run that was served from recent events.
};

}  // namespace bdcsync::gateway
