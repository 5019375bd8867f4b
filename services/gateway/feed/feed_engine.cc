#include "services/gateway/feed/feed_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "services/gateway/feed/feed_metrics.h"

namespace bdcsync::gateway {
namespace {

// The same read may succeed later.
bool Passes(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnimplemented:
      return false;
    default:
      return true;
  }
}

// How many times the memory for recent events is halved per tick before the engine gives up.
constexpr int kHalvingsMax = 8;

}  // namespace

std::string SpaceChannel(absl::string_view space) { return absl::StrCat("bdc:space:", space); }

struct FeedEngine::Followed {
  Followed(std::string space, const FeedLimits& limits, SpaceFeedHost& host, const Clock& clock,
           FeedMetrics& metrics)
      : feed(std::move(space), limits, host, clock, metrics) {}

  SpaceFeed feed;
  std::unique_ptr<bus::Subscription> subscription;
  bool read_queued = false;
  bool flush_queued = false;
  int64_t flushed_seq = 0;                                // The head at the last flush,
  int64_t flushed_events = 0;                             // what it told of,
  absl::Duration flushed_at = -absl::InfiniteDuration();  // and when; monotonic.
  absl::Duration idle_since = absl::InfiniteDuration();   // Monotonic.
};

template <typename Task>
auto FeedEngine::Posting(Task task) {
  return [&loop = to_.loop, alive = std::weak_ptr<bool>(alive_),
          task = std::move(task)](auto&&... arguments) mutable {
    loop.Post(
        [alive, task, ... arguments = std::forward<decltype(arguments)>(arguments)]() mutable {
          if (!alive.expired()) task(std::move(arguments)...);
        });
  };
}

FeedEngine::FeedEngine(FeedDependencies dependencies, FeedLimits limits)
    : to_(dependencies),
      limits_(limits),
      alive_(std::make_shared<bool>(true)),
      heads_(to_.loop, to_.reader, limits_.heads_per_call_max,
             [this](absl::string_view space, uint64_t call,
                    const absl::StatusOr<entity::Cursor>& head) { OnHead(space, call, head); }),
      retry_after_(limits_.retry_after_min) {
  tick_ = to_.loop.RunAfter(limits_.head_check_interval, [this] { Tick(); });
}

FeedEngine::~FeedEngine() {
  to_.loop.Cancel(tick_);
  to_.loop.Cancel(retry_);
  to_.metrics.spaces.Add(-static_cast<double>(spaces_.size()));
}

void FeedEngine::Subscribe(const SubscriptionSpec& spec, std::optional<entity::Cursor> cursor,
                           FeedSubscription& subscription) {
  subscription.Reset();
  subscription.filter_ = Intern(spec.filter);
  subscription.mode_ = spec.mode;
  subscription.wanted_ = cursor;
  Follow(spec.space).feed.Add(subscription);
}

void FeedEngine::Remove(FeedSubscription& subscription) {
  if (subscription.feed_ != nullptr) subscription.feed_->Remove(subscription);
}

void FeedEngine::Pause(FeedSubscription& subscription) {
  subscription.paused_ = true;
  subscription.waits_for_page_ = false;
}

void FeedEngine::Resume(FeedSubscription& subscription) {
  subscription.paused_ = false;
  Drained(subscription);
}

void FeedEngine::Drained(FeedSubscription& subscription) {
  if (subscription.feed_ != nullptr) subscription.feed_->Continue(subscription);
}

void FeedEngine::GetHead(absl::string_view space, HeadDone done) {
  const auto followed = spaces_.find(space);
  if (followed != spaces_.end() && followed->second->feed.known()) {
    const SpaceFeed& feed = followed->second->feed;
    done(entity::Cursor{feed.epoch(), feed.head()});
    return;
  }
  head_waiters_[std::string(space)].push_back(std::move(done));
  heads_.Ask(space);
}

FeedEngine::Followed& FeedEngine::Follow(absl::string_view space) {
  std::unique_ptr<Followed>& followed = spaces_[space];
  if (followed != nullptr) return *followed;
  to_.metrics.spaces.Add(1);
  SpaceFeedHost& host = *this;
  followed = std::make_unique<Followed>(std::string(space), limits_, host, to_.clock, to_.metrics);
  // Subscribed before the head is asked for: what is committed in between is seen twice, not never.
  followed->subscription = to_.bus.Subscribe(
      SpaceChannel(space),
      [this, name = std::string(space), &loop = to_.loop,
       alive = std::weak_ptr<bool>(alive_)](absl::string_view payload) {
        event_store::v1::SpaceCommit commit;
        if (!commit.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
        loop.Post([this, alive, name, commit = std::move(commit)]() mutable {
          if (!alive.expired()) OnCommit(name, std::move(commit));
        });
        return true;
      },
      Posting([this, name = std::string(space)] { heads_.Ask(name); }));
  return *followed;
}

void FeedEngine::OnCommit(const std::string& space, event_store::v1::SpaceCommit commit) {
  const auto followed = spaces_.find(space);
  if (followed == spaces_.end()) return;
  std::vector<FeedEventPtr> events;
  if (commit.last_seq() > followed->second->feed.head()) {
    events.reserve(commit.events_size());
    for (event_store::v1::Event& event : *commit.mutable_events()) {
      events.push_back(std::make_shared<const FeedEvent>(std::move(event)));
    }
  }
  followed->second->feed.OnCommit(commit.epoch(), commit.first_seq(), commit.last_seq(), events);
}

std::shared_ptr<const EntityFilter> FeedEngine::Intern(const SubscriptionFilter& filter) {
  std::weak_ptr<const EntityFilter>& interned = filters_[EntityFilter::KeyOf(filter)];
  std::shared_ptr<const EntityFilter> shared = interned.lock();
  if (shared == nullptr) {
    shared = std::make_shared<const EntityFilter>(filter);
    interned = shared;
  }
  return shared;
}

uint64_t FeedEngine::WantHead(SpaceFeed& feed) { return heads_.Ask(feed.space()); }

void FeedEngine::OnHead(absl::string_view space, uint64_t call,
                        const absl::StatusOr<entity::Cursor>& head) {
  if (auto waiters = head_waiters_.extract(space)) {
    for (HeadDone& done : waiters.mapped()) done(head);
  }
  if (!head.ok()) to_.metrics.read_failures.Add();
  const auto followed = spaces_.find(space);
  if (followed != spaces_.end()) followed->second->feed.OnHead(call, head);
}

void FeedEngine::WantRead(SpaceFeed& feed) {
  Followed& followed = *spaces_.find(feed.space())->second;
  if (followed.read_queued) return;
  followed.read_queued = true;
  reads_.push_back(&followed);
  to_.loop.Post(Posting([this] { PumpReads(); }));
}

void FeedEngine::PumpReads() {
  while (!retry_waits_ && reads_in_flight_ < limits_.reads_in_flight_max && !reads_.empty()) {
    Followed& followed = *reads_.front();
    reads_.pop_front();
    followed.read_queued = false;
    if (const auto plan = followed.feed.NextRead()) StartRead(followed, *plan);
  }
}

void FeedEngine::StartRead(Followed& followed, const SpaceFeed::ReadPlan& plan) {
  ++reads_in_flight_;
  event_store::v1::ReadSpaceRequest request;
  request.set_space(followed.feed.space());
  request.set_after_seq(plan.after);
  request.set_limit(limits_.page_events_max);
  request.set_bytes_max(limits_.page_bytes_max);
  if (plan.latest) {
    request.set_mode(event_store::v1::SPACE_READ_MODE_LATEST);
    request.set_without_tombstones(plan.first_sync);
  } else {
    request.set_mode(event_store::v1::SPACE_READ_MODE_ALL);
  }
  using Response = event_store::v1::ReadSpaceResponse;
  to_.reader.ReadSpace(std::move(request), Posting([this, space = followed.feed.space(),
                                                    plan](absl::StatusOr<Response> page) {
                         OnPage(space, plan, std::move(page));
                       }));
}

void FeedEngine::OnPage(const std::string& space, const SpaceFeed::ReadPlan& plan,
                        absl::StatusOr<event_store::v1::ReadSpaceResponse> page) {
  --reads_in_flight_;
  SpaceFeed& feed = spaces_.find(space)->second->feed;  // Kept while it reads.
  if (page.ok() || !Passes(page.status())) {
    retry_after_ = limits_.retry_after_min;
    feed.OnPage(plan, std::move(page));
  } else {
    to_.metrics.read_failures.Add();
    feed.OnPageFailed();
    RetryLater();
  }
  PumpReads();
}

// One wait for all spaces: when the store is away, it is away for each of them.
void FeedEngine::RetryLater() {
  if (retry_waits_) return;
  retry_waits_ = true;
  retry_ = to_.loop.RunAfter(retry_after_ * to_.random.Fraction(), [this] {
    retry_waits_ = false;
    PumpReads();
  });
  retry_after_ = std::min(retry_after_ * 2, limits_.retry_after_max);
}

void FeedEngine::OnEvents(SpaceFeed& feed, absl::Span<const FeedEventPtr> events) {
  if (watcher_) watcher_(feed.space(), events);
}

const EventRing* FeedEngine::Recent(absl::string_view space) const {
  const auto followed = spaces_.find(space);
  return followed == spaces_.end() ? nullptr : &followed->second->feed.recent();
}

void FeedEngine::WantFlush(SpaceFeed& feed) {
  Followed& followed = *spaces_.find(feed.space())->second;
  if (followed.flush_queued) return;
  followed.flush_queued = true;
  if (const absl::Duration delay = FlushDelay(followed); delay > absl::ZeroDuration()) {
    to_.loop.RunAfter(delay, [this, &followed, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) Flush(followed);
    });
    return;
  }
  flushes_.push_back(&followed);
  if (flushes_.size() == 1) to_.loop.Post(Posting([this] { FlushAll(); }));
}

void FeedEngine::FlushAll() {
  for (Followed* followed : std::exchange(flushes_, {})) Flush(*followed);
}

void FeedEngine::Flush(Followed& followed) {
  followed.flush_queued = false;
  const int64_t head = followed.feed.head();
  followed.flushed_events = followed.flushed_seq == 0 ? 0 : head - followed.flushed_seq;
  followed.flushed_seq = head;
  followed.flushed_at = to_.clock.Monotonic();
  followed.feed.Flush();
}

absl::Duration FeedEngine::FlushDelay(const Followed& followed) const {
  if (followed.flushed_events <= 1) return absl::ZeroDuration();
  const absl::Duration interval =
      std::min(limits_.burst_interval_per_subscriber * followed.feed.subscribers(),
               limits_.burst_interval_max);
  return followed.flushed_at + interval - to_.clock.Monotonic();
}

// The wait grows with the number of clients that were told of late, so that they come back spread.
absl::Duration FeedEngine::NextResyncDelay() {
  const absl::Duration now = to_.clock.Monotonic();
  resync_until_ = std::max(resync_until_, now) + absl::Seconds(1) / limits_.resyncs_per_second;
  const absl::Duration jitter = limits_.resync_after_min * to_.random.Fraction();
  return limits_.resync_after_min + jitter + (resync_until_ - now);
}

void FeedEngine::Tick() {
  const absl::Duration now = to_.clock.Monotonic();
  size_t bytes = 0;
  for (auto at = spaces_.begin(); at != spaces_.end();) {
    const auto here = at++;
    Followed& followed = *here->second;
    followed.feed.ForgetBatches();
    bytes += followed.feed.recent_bytes();
    const bool idle = followed.feed.idle() && !followed.read_queued && !followed.flush_queued;
    followed.idle_since = idle ? std::min(followed.idle_since, now) : absl::InfiniteDuration();
    if (!idle) {
      heads_.Ask(here->first);
      followed.feed.ContinueAll();
    } else if (now - followed.idle_since >= limits_.linger) {
      to_.metrics.spaces.Add(-1);
      spaces_.erase(here);
    }
  }
  absl::erase_if(filters_, [](const auto& filter) { return filter.second.expired(); });
  to_.metrics.recent_bytes.Set(static_cast<double>(bytes));
  ForgetDown(bytes);
  tick_ = to_.loop.RunAfter(limits_.head_check_interval, [this] { Tick(); });
}

void FeedEngine::ForgetDown(size_t bytes) {
  for (int round = 0; bytes > limits_.recent_bytes_max && round < kHalvingsMax; ++round) {
    bytes = 0;
    for (auto& [space, followed] : spaces_) {
      followed->feed.ForgetHalf();
      bytes += followed->feed.recent_bytes();
    }
  }
}

}  // namespace bdcsync::gateway
