#include "services/gateway/feed/event_ring.h"

#include <utility>

namespace bdcsync::gateway {

void EventRing::Reset(int64_t seq) {
  events_.clear();
  first_ = 0;
  bytes_ = 0;
  end_ = seq;
}

bool EventRing::Append(FeedEventPtr event) {
  if (event->seq != end_ + 1) return false;
  bytes_ += event->bytes();
  events_.push_back(std::move(event));
  ++end_;
  while (size() > events_max_ || (bytes_ > bytes_max_ && size() > 1)) DropOldest();
  return true;
}

void EventRing::Prepend(absl::Span<const FeedEventPtr> events) {
  size_t count = 0;
  size_t bytes = bytes_;
  while (count < events.size() && size() + count < events_max_) {
    const FeedEvent& event = *events[events.size() - 1 - count];
    if (event.seq != start() - static_cast<int64_t>(count)) break;
    if (bytes + event.bytes() > bytes_max_) break;
    bytes += event.bytes();
    ++count;
  }
  bytes_ = bytes;
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
  events_.insert(events_.begin(), events.end() - count, events.end());
}

void EventRing::Halve() {
  for (size_t drop = size() / 2; drop > 0; --drop) DropOldest();
}

void EventRing::DropOldest() {
  bytes_ -= events_[first_]->bytes();
  events_[first_].reset();
  ++first_;
  if (first_ * 2 < events_.size()) return;
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

}  // namespace bdcsync::gateway
