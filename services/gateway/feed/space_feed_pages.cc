// The part of SpaceFeed that reads from the log: which page next, and whom a page serves.
#include <algorithm>
#include <utility>
#include <vector>

#include "libs/base/errors.h"
#include "services/gateway/feed/feed_metrics.h"
#include "services/gateway/feed/space_feed.h"

namespace bdcsync::gateway {

SpaceFeed::ReadPlan SpaceFeed::PlanFor(const FeedSubscription& subscription) {
  const auto& run = subscription.run_;
  return {subscription.position_, run.has_value(), run.has_value() && run->first_sync};
}

// The waiting subscription nearest after the last page, so that one sweep serves them all.
FeedSubscription* SpaceFeed::NextWaiting() const {
  FeedSubscription* next = nullptr;
  const auto rank = [this](const FeedSubscription& subscription) {
    return std::pair(subscription.position_ < sweep_, subscription.position_);
  };
  for (FeedSubscription* subscription : subscriptions_) {
    if (subscription == nullptr || !subscription->waits_for_page_) continue;
    if (next == nullptr || rank(*subscription) < rank(*next)) next = subscription;
  }
  return next;
}

std::optional<SpaceFeed::ReadPlan> SpaceFeed::NextRead() {
  if (reading_ || !known()) return std::nullopt;
  asked_target_ = target_;
  const FeedSubscription* waiting = NextWaiting();
  if (MissesEvents() && (waiting == nullptr || !gap_was_last_)) {
    gap_was_last_ = reading_ = true;
    return ReadPlan{.after = head()};
  }
  gap_was_last_ = false;
  if (waiting == nullptr) return std::nullopt;
  reading_ = true;
  return PlanFor(*waiting);
}

void SpaceFeed::OnPageFailed() {
  reading_ = false;
  host_.WantRead(*this);
}

bool SpaceFeed::Serves(const ReadPlan& plan, const Page& page, const FeedSubscription& waiting) {
  if (plan.latest || waiting.run_.has_value()) return plan == PlanFor(waiting);
  return waiting.position_ >= plan.after && waiting.position_ < page.next_seq;
}

void SpaceFeed::OnPage(const ReadPlan& plan,
                       absl::StatusOr<event_store::v1::ReadSpaceResponse> response) {
  reading_ = false;
  if (!response.ok()) {
    EndAll(response.status());
    return;
  }
  if (!known() || response->epoch() != epoch()) {
    host_.WantHead(*this);  // Tells everybody that the history was lost, if it was.
    return;
  }
  Page page{.next_seq = response->next_seq(), .head_seq = response->head_seq()};
  if (page.next_seq <= plan.after && page.head_seq > plan.after) {
    EndAll(MakeError(Reason::kInternal, "a page of the space led nowhere"));
    return;
  }
  metrics_.pages_read.Add();
  page.events.reserve(response->events_size());
  for (event_store::v1::Event& event : *response->mutable_events()) {
    page.events.push_back(std::make_shared<const FeedEvent>(std::move(event)));
  }
  // What the bus had told of before the page was asked for is in the log by then, or never was.
  target_ = target_ == asked_target_ ? page.head_seq : std::max(target_, page.head_seq);
  sweep_ = page.next_seq;
  if (!plan.latest) KeepRecent(plan, page);
  ForEach([&](FeedSubscription& subscription) {
    if (!subscription.waits_for_page_) return;
    if (Serves(plan, page, subscription)) {
      ServeFromPage(subscription, plan, page);
    } else if (subscription.position_ >= ring_.start()) {
      subscription.waits_for_page_ = false;
      Advance(subscription);
    }
  });
  if (MissesEvents() || NextWaiting() != nullptr) host_.WantRead(*this);
}

void SpaceFeed::KeepRecent(const ReadPlan& plan, const Page& page) {
  if (plan.after < ring_.start() && page.next_seq >= ring_.start()) {
    size_t older = 0;
    while (older < page.events.size() && page.events[older]->seq <= ring_.start()) ++older;
    ring_.Prepend(absl::MakeConstSpan(page.events).subspan(0, older));
    ForgetBatches();
  }
  if (plan.after <= head() && Append(page.events)) host_.WantFlush(*this);
}

// Serves a part of the page at a time: versions up to what is told of conflicts, and that alone.
void SpaceFeed::ServeFromPage(FeedSubscription& subscription, const ReadPlan& plan,
                              const Page& page) {
  subscription.waits_for_page_ = false;
  int64_t to = page.next_seq;
  PageView read{.view = subscription.view_};
  auto& run = subscription.run_;
  if (run.has_value()) {
    if (run->end == FeedSubscription::kUnknown) run->end = page.head_seq;
    to = std::min(to, run->end);
    read.base = run->base;
    read.whole_until = run->whole_until();
    read.first_sync = run->first_sync;
    // What changes while the run is read is left to what follows it, and is not what follows on
    // what the subscriber has.
    run->paged = true;
    subscription.view_ = {run->whole_until(), run->base, page.head_seq};
  }
  std::vector<FeedEventPtr> events;
  for (const FeedEventPtr& event : page.events) {
    if (event->seq > subscription.position_ && event->seq <= to) events.push_back(event);
  }
  const auto stands_alone = [&](size_t place) {
    return subscription.filter_->MatchesConflictsOf(*events[place]);
  };
  size_t begin = 0;
  bool last = false;
  while (!last && subscription.feed_ != nullptr) {
    size_t end = begin;
    while (end < events.size() && !stands_alone(end)) ++end;
    if (end == begin && end < events.size()) ++end;
    last = end == events.size();
    const int64_t part_to = last ? to : events[end]->seq - 1;
    if (last && run.has_value() && to >= run->end) run.reset();
    const auto part = absl::MakeConstSpan(events).subspan(begin, end - begin);
    Deliver(subscription, PageBatch(subscription, read, part, part_to),
            /*at_head=*/last && to >= known_head());
    begin = end;
  }
  if (subscription.feed_ != nullptr) Advance(subscription);
}

ChangeBatch SpaceFeed::PageBatch(const FeedSubscription& subscription, const PageView& read,
                                 absl::Span<const FeedEventPtr> events, int64_t to) const {
  const EntityFilter& filter = *subscription.filter_;
  const int64_t from = subscription.position_;
  const entity::Cursor cursor = CursorAt(subscription, to);
  if (events.size() == 1 && filter.MatchesConflictsOf(*events.front())) {
    auto news = NewsIn(*events.front(), filter, read.first_sync);
    if (!news.empty()) return {space_, from, cursor, events.front(), std::move(news)};
  }
  return {space_, from, cursor,
          read.base.has_value() ? StoredLatestChanges(events, filter, *read.base, read.whole_until)
                                : EveryChange(events, filter, read.view)};
}

}  // namespace bdcsync::gateway
