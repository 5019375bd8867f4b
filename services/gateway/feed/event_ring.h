// The latest events of a space, contiguous by seq: (start, end]. Bounded in events and bytes; the
// oldest go first. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "services/gateway/feed/feed_event.h"

namespace bdcsync::gateway {

class EventRing {
 public:
  EventRing(size_t events_max, size_t bytes_max) : events_max_(events_max), bytes_max_(bytes_max) {}

  // Empties the ring; it begins again after `seq`.
  void Reset(int64_t seq);
  // Adds the event after end(); returns false, and does nothing, for any other.
  bool Append(FeedEventPtr event);
  // Adds events that end right before the first one, as far back as there is room for.
  void Prepend(absl::Span<const FeedEventPtr> events);
  // Drops the older half.
  void Halve();

  int64_t start() const { return end_ - static_cast<int64_t>(size()); }
  int64_t end() const { return end_; }
  size_t bytes() const { return bytes_; }
  // The event with `seq`, which must be in the ring.
  const FeedEventPtr& At(int64_t seq) const {
    return events_[first_ + static_cast<size_t>(seq - start() - 1)];
  }
  // The events (from, to], which must be in the ring; valid until the ring changes.
  absl::Span<const FeedEventPtr> Between(int64_t from, int64_t to) const {
    return absl::MakeConstSpan(events_).subspan(first_ + static_cast<size_t>(from - start()),
                                                static_cast<size_t>(to - from));
  }

 private:
  size_t size() const { return events_.size() - first_; }
  void DropOldest();

  const size_t events_max_;
  const size_t bytes_max_;
  // From first_ on; what lies before is dropped and given back now and then. Not a deque, which
  // takes half a kilobyte when empty: there are as many rings as users.
  std::vector<FeedEventPtr> events_;
  size_t first_ = 0;
  int64_t end_ = 0;
  size_t bytes_ = 0;
};

}  // namespace bdcsync::gateway
