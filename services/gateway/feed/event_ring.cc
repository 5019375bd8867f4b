#include "services/gateway/feed/event_ring.h"

#include <utility>

namespace bdcsync::gateway {

void EventRing::Reset(int64_t seq) {
  events_.clear();
  bytes_ = 0;
  end_ = seq;
}

bool EventRing::Append(FeedEventPtr event) {
  if (event->seq != end_ + 1) return false;
  bytes_ += event->bytes();
  events_.push_back(std::move(event));
  ++end_;
  while (events_.size() > events_max_ || (bytes_ > bytes_max_ && events_.size() > 1)) DropOldest();
  return true;
}

void EventRing::Prepend(absl::Span<const FeedEventPtr> events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const size_t bytes = (*event)->bytes();
    if ((*event)->seq != start() || events_.size() >= events_max_ || bytes_ + bytes > bytes_max_) {
      return;
    }
    bytes_ += bytes;
    events_.push_front(*event);
  }
}

void EventRing::Halve() {
  for (size_t drop = events_.size() / 2; drop > 0; --drop) DropOldest();
}

void EventRing::DropOldest() {
  bytes_ -= events_.front()->bytes();
  events_.pop_front();
}

}  // namespace bdcsync::gateway
