// The first and the last event of each stream in a range of events, consecutive by seq: which of
// them later ones supersede, and what they go back to. Holds on to these events. Immutable once
// made, hence thread-safe.
#pragma once

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/gateway/feed/feed_event.h"

namespace bdcsync::gateway {

class StreamEnds {
 public:
  explicit StreamEnds(absl::Span<const FeedEventPtr> events);

  // Whether nothing in the range supersedes `event`, which is in it.
  bool IsLast(const FeedEvent& event) const { return Of(event).last.get() == &event; }
  // The first event of the stream of `event`, which is in the range.
  const FeedEvent& FirstOf(const FeedEvent& event) const { return *Of(event).first; }

 private:
  struct Ends {
    FeedEventPtr first;
    FeedEventPtr last;
  };
  const Ends& Of(const FeedEvent& event) const { return streams_.at(event.stream); }

  absl::flat_hash_map<absl::string_view, Ends> streams_;  // Names of the first events.
};

}  // namespace bdcsync::gateway
