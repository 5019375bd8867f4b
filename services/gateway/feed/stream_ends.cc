#include "services/gateway/feed/stream_ends.h"

namespace bdcsync::gateway {

StreamEnds::StreamEnds(absl::Span<const FeedEventPtr> events) {
  for (const FeedEventPtr& event : events) {
    Ends& ends = streams_[event->stream];
    if (ends.first == nullptr) ends.first = event;
    ends.last = event;
  }
}

}  // namespace bdcsync::gateway
