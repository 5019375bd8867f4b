#include "services/gateway/feed/space_feed.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "libs/base/errors.h"
#include "services/gateway/feed/feed_metrics.h"

namespace bdcsync::gateway {

SpaceFeed::SpaceFeed(std::string space, const FeedLimits& limits, SpaceFeedHost& host,
                     const Clock& clock, FeedMetrics& metrics)
    : space_(std::move(space)),
      limits_(limits),
      host_(host),
      clock_(clock),
      metrics_(metrics),
      ring_(limits.ring_events_max, limits.ring_bytes_max) {}

void SpaceFeed::ForgetHalf() {
  ring_.Halve();
  ForgetBatches();
}

void SpaceFeed::ForEach(absl::FunctionRef<void(FeedSubscription&)> action) {
  ++iterating_;
  const size_t count = subscriptions_.size();
  for (size_t i = 0; i < count; ++i) {
    if (FeedSubscription* subscription = subscriptions_[i]) action(*subscription);
  }
  if (--iterating_ > 0 || live_count_ == subscriptions_.size()) return;
  std::erase(subscriptions_, nullptr);
  for (size_t i = 0; i < subscriptions_.size(); ++i) subscriptions_[i]->slot_ = i;
}

void SpaceFeed::Add(FeedSubscription& subscription) {
  subscription.feed_ = this;
  subscription.slot_ = subscriptions_.size();
  subscriptions_.push_back(&subscription);
  ++live_count_;
  metrics_.subscriptions.Add(1);
  if (MissesEvents()) host_.WantRead(*this);
  // Read from now on, not what the bus has told: what was acknowledged to anybody before this
  // belongs to what the subscriber must have when it is told that it is caught up.
  subscription.head_call_ = host_.WantHead(*this);
}

void SpaceFeed::Remove(FeedSubscription& subscription) {
  subscription.feed_ = nullptr;
  --live_count_;
  metrics_.subscriptions.Add(-1);
  if (iterating_ > 0) {
    subscriptions_[subscription.slot_] = nullptr;
    return;
  }
  subscriptions_.back()->slot_ = subscription.slot_;
  subscriptions_[subscription.slot_] = subscriptions_.back();
  subscriptions_.pop_back();
}

void SpaceFeed::Start(FeedSubscription& subscription) {
  const std::optional<entity::Cursor> wanted = subscription.wanted_;
  const bool same_history = !wanted.has_value() || wanted->epoch == epoch();
  const bool ahead = wanted.has_value() && same_history && wanted->seq > known_head();
  if (wanted.has_value()) {
    subscription.position_ = wanted->seq;
    if (wanted->base != entity::Cursor::kNoBase) {
      subscription.view_ = {wanted->base, std::max(wanted->base, wanted->had), known_head()};
    }
  } else {
    subscription.run_ = FeedSubscription::LatestRun{.first_sync = true};
  }
  subscription.told_ = subscription.position_;
  subscription.started_ = true;
  subscription.OnStarted(
      Subscribed{entity::EncodeCursor(wanted.value_or(entity::Cursor{epoch(), 0})),
                 entity::EncodeCursor({epoch(), known_head()})});
  if (subscription.feed_ == nullptr) return;
  if (!same_history) {
    Resync(subscription, "the cursor belongs to a history that was lost");
  } else if (ahead) {
    Resync(subscription, "the cursor is ahead of the history");
  } else {
    Advance(subscription);
  }
}

void SpaceFeed::Continue(FeedSubscription& subscription) { Advance(subscription); }

void SpaceFeed::ContinueAll() {
  ForEach([this](FeedSubscription& subscription) { Advance(subscription); });
}

void SpaceFeed::Advance(FeedSubscription& subscription) {
  while (subscription.feed_ != nullptr && subscription.started_ && !subscription.paused_ &&
         !subscription.waits_for_page_) {
    if (subscription.told_caught_up_ && subscription.position_ >= head()) return;
    if (!subscription.HasRoom()) {
      metrics_.stalls.Add();
      return;
    }
    if (subscription.position_ < ring_.start()) {
      ReadLater(subscription);
    } else if (!ServeFromRing(subscription)) {
      return;
    }
  }
}

void SpaceFeed::ReadLater(FeedSubscription& subscription) {
  if (subscription.mode_ == SubscriptionMode::kLatest && !subscription.run_.has_value()) {
    subscription.run_ = LatestRunOf(subscription);
  }
  subscription.waits_for_page_ = true;
  host_.WantRead(*this);
}

entity::Cursor SpaceFeed::CursorAt(const FeedSubscription& subscription, int64_t seq) const {
  const auto& run = subscription.run_;
  const bool paged = run.has_value() && run->paged;
  const bool ends_run = run.has_value() && !paged && seq >= run->end;
  const View& view = ends_run ? run->before : subscription.view_;
  entity::Cursor cursor{.epoch = epoch(), .seq = seq};
  if (!paged && seq >= view.unsure_until) return cursor;
  cursor.base = view.unsure_base;
  if (view.had_until > view.unsure_base) cursor.had = view.had_until;
  return cursor;
}

void SpaceFeed::Deliver(FeedSubscription& subscription, const ChangeBatch& batch, bool at_head) {
  subscription.position_ = batch.to();
  const bool caught_up = at_head && batch.news().empty() && !subscription.told_caught_up_ &&
                         !subscription.run_.has_value();
  const bool silent =
      batch.empty() && !caught_up && batch.to() - subscription.told_ < limits_.silent_events_max;
  if (silent) return;
  subscription.told_ = batch.to();
  subscription.told_caught_up_ |= caught_up;
  metrics_.batches_delivered.Add();
  metrics_.changes_delivered.Add(static_cast<double>(batch.changes().size()));
  metrics_.conflicts_delivered.Add(static_cast<double>(batch.news().size()));
  subscription.OnBatch(batch, caught_up);
}

void SpaceFeed::OnCommit(uint64_t epoch, int64_t first_seq, int64_t last_seq,
                         const std::vector<FeedEventPtr>& events) {
  if (!known()) {
    if (!early_.has_value() || early_->epoch != epoch || early_->seq < last_seq) {
      early_ = entity::Cursor{epoch, last_seq};
    }
    return;
  }
  if (epoch != *epoch_) {  // Late news of an old history, or the first of a new one: ask.
    host_.WantHead(*this);
    return;
  }
  if (last_seq <= head()) {
    metrics_.events_repeated.Add(static_cast<double>(events.size()));
    return;
  }
  target_ = std::max(target_, last_seq);
  if (!events.empty() && first_seq <= head() + 1) {
    metrics_.events_received.Add(static_cast<double>(events.size()));
    if (Append(events)) host_.WantFlush(*this);
  } else if (live_count_ > 0) {
    metrics_.holes.Add();
    host_.WantRead(*this);
  }
}

bool SpaceFeed::Append(const std::vector<FeedEventPtr>& events) {
  const int64_t before = head();
  size_t known = 0;
  for (const FeedEventPtr& event : events) {
    if (!ring_.Append(event) && head() == before) ++known;
  }
  if (head() == before) return false;
  if (!unsent_since_.has_value()) unsent_since_ = absl::FromUnixMillis(events[known]->time_ms);
  ForgetBatches();
  host_.OnEvents(*this, absl::MakeConstSpan(events).subspan(known));
  return true;
}

void SpaceFeed::Flush() {
  if (const auto committed = std::exchange(unsent_since_, std::nullopt)) {
    metrics_.delivery_delay.Observe(std::max(clock_.Now() - *committed, absl::ZeroDuration()));
  }
  ContinueAll();
}

void SpaceFeed::Resync(FeedSubscription& subscription, absl::string_view reason) {
  Remove(subscription);
  metrics_.resyncs.Add();
  subscription.OnResync(reason, host_.NextResyncDelay());
}

void SpaceFeed::LoseHistory() {
  epoch_.reset();
  ring_.Reset(0);
  unsent_since_.reset();
  ForgetBatches();
  target_ = 0;
  ForEach([this](FeedSubscription& subscription) {
    if (subscription.started_) Resync(subscription, "the history was lost");
  });
}

void SpaceFeed::EndAll(const absl::Status& why) {
  ForEach([this, &why](FeedSubscription& subscription) {
    Remove(subscription);
    if (subscription.started_) {
      subscription.OnEnded(why);
    } else {
      subscription.OnStarted(why);
    }
  });
}

void SpaceFeed::OnHead(uint64_t call, const absl::StatusOr<entity::Cursor>& head_read) {
  if (!head_read.ok()) {
    ForEach([this, call, &head_read](FeedSubscription& subscription) {
      if (subscription.started_ || subscription.head_call_ > call) return;
      Remove(subscription);
      subscription.OnStarted(head_read.status());
    });
    return;
  }
  if (known() && *epoch_ != head_read->epoch) LoseHistory();
  if (!known()) {
    epoch_ = head_read->epoch;
    ring_.Reset(head_read->seq);
    target_ = head_read->seq;
    if (early_.has_value() && early_->epoch == *epoch_) target_ = std::max(target_, early_->seq);
  }
  target_ = std::max(target_, head_read->seq);
  ForEach([this, call](FeedSubscription& subscription) {
    if (!subscription.started_ && subscription.head_call_ <= call) Start(subscription);
  });
  if (MissesEvents()) host_.WantRead(*this);
}

}  // namespace bdcsync::gateway
