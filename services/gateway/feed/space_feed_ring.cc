// The part of SpaceFeed that serves from recent events. Whoever wants the latest alone is served in
// runs, as from the log: of what a run spans, each stream is told of once, however many batches
// it takes.
#include <algorithm>
#include <utility>
#include <vector>

#include "services/gateway/feed/space_feed.h"

namespace bdcsync::gateway {

void SpaceFeed::ForgetBatches() {
  made_.clear();
  ends_.reset();
}

// A run from where the subscription is; what it may be unsure of now counts for all of it.
FeedSubscription::LatestRun SpaceFeed::LatestRunOf(const FeedSubscription& subscription) {
  FeedSubscription::LatestRun run{.base = subscription.position_};
  if (subscription.position_ < subscription.view_.unsure_until) run.before = subscription.view_;
  return run;
}

// What the subscriber was unsure of before the run it still is, as far as that goes beyond it.
void SpaceFeed::EndRun(FeedSubscription& subscription) {
  const FeedSubscription::LatestRun& run = *subscription.run_;
  if (!run.paged && run.before.unsure_until > run.end) subscription.view_ = run.before;
  subscription.run_.reset();
}

// False when there is nothing to send.
bool SpaceFeed::ServeFromRing(FeedSubscription& subscription) {
  auto& run = subscription.run_;
  if (!run.has_value() && subscription.mode_ == SubscriptionMode::kLatest &&
      subscription.position_ < head()) {
    run = LatestRunOf(subscription);
  }
  if (run.has_value() && run->end == FeedSubscription::kUnknown) {
    run->end = head();
    subscription.view_ = {run->whole_until(), run->base, run->end};
  }
  if (run.has_value() && subscription.position_ >= run->end) {
    EndRun(subscription);
    return true;
  }
  // A run from the log may end behind a hole; what it is to tell is known once that is filled.
  if (run.has_value() && run->end > head()) return false;
  const int64_t to_max = run.has_value() ? run->end : head();
  if (subscription.position_ < to_max) {
    const std::shared_ptr<const ChangeBatch> batch = RingBatch(subscription, to_max);
    if (run.has_value() && batch->to() >= run->end) EndRun(subscription);
    Deliver(subscription, *batch, batch->to() >= known_head());
    return true;
  }
  if (subscription.told_caught_up_ || subscription.position_ < known_head()) return false;
  Deliver(subscription,
          ChangeBatch(space_, subscription.position_,
                      CursorAt(subscription, subscription.position_), {}),
          /*at_head=*/true);
  return true;
}

std::shared_ptr<const ChangeBatch> SpaceFeed::RingBatch(const FeedSubscription& subscription,
                                                        int64_t to_max) {
  BatchKey key{.from = subscription.position_,
               .to_max = to_max,
               .filter = subscription.filter_,
               .run = subscription.run_};
  if (key.from < subscription.view_.unsure_until) key.view = subscription.view_;
  for (const MadeBatch& made : made_) {
    if (made.key == key) return made.batch;
  }
  auto batch = std::make_shared<const ChangeBatch>(MakeRingBatch(subscription, to_max));
  if (made_.size() < limits_.batches_shared_max) made_.push_back({std::move(key), batch});
  return batch;
}

ChangeBatch SpaceFeed::MakeRingBatch(const FeedSubscription& subscription, int64_t to_max) {
  const EntityFilter& filter = *subscription.filter_;
  const auto& run = subscription.run_;
  const int64_t from = subscription.position_;
  std::vector<FeedEventPtr> events;
  size_t bytes = 0;
  int64_t to = from;
  for (; to < to_max && bytes < limits_.batch_bytes_max; ++to) {
    const FeedEventPtr& event = ring_.At(to + 1);
    if (run.has_value() && !EndsOf(*run).IsLast(*event)) continue;
    if (filter.MatchesConflictsOf(*event)) {
      // What is told of conflicts stands alone, so that each message has a cursor of its own.
      if (!events.empty()) break;
      auto news = NewsIn(*event, filter, run.has_value() && run->first_sync);
      if (news.empty()) continue;
      return {space_, from, CursorAt(subscription, to + 1), event, std::move(news)};
    }
    if (!filter.MatchesStream(*event)) continue;
    events.push_back(event);
    bytes += event->data.size();
  }
  return {space_, from, CursorAt(subscription, to), RingChanges(subscription, events)};
}

std::vector<Change> SpaceFeed::RingChanges(const FeedSubscription& subscription,
                                           absl::Span<const FeedEventPtr> events) {
  const EntityFilter& filter = *subscription.filter_;
  const auto& run = subscription.run_;
  if (!run.has_value()) return EveryChange(events, filter, subscription.view_);
  // Where the run began is forgotten when the subscriber was slow.
  if (run->base < ring_.start()) {
    return StoredLatestChanges(events, filter, run->base, run->whole_until());
  }
  return LatestChanges(events, EndsOf(*run), filter, run->before);
}

const StreamEnds& SpaceFeed::EndsOf(const FeedSubscription::LatestRun& run) {
  const int64_t from = std::max(run.base, ring_.start());
  if (!ends_.has_value() || ends_->from != from || ends_->to != run.end) {
    ends_ = RecentEnds{from, run.end, StreamEnds(ring_.Between(from, run.end))};
  }
  return ends_->ends;
}

}  // namespace bdcsync::gateway
