// One event of a space as the feed keeps it: parsed once, rendered once per payload mode, shared by
// every subscription that it goes to. Lives on one loop: rendering is cached without a lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/gateway/feed/conflict_event.h"

namespace bdcsync::gateway {

// What the JSON of an event carries besides its description.
enum class EventBody { kNone, kData, kPatch };

struct FeedEvent {
  explicit FeedEvent(event_store::v1::Event event);
  FeedEvent(const FeedEvent&) = delete;
  FeedEvent& operator=(const FeedEvent&) = delete;

  int64_t seq = 0;
  int64_t first_seq = 0;  // Of the stream: a reader that was further never saw the stream.
  int64_t revision = 0;
  int64_t time_ms = 0;
  bool entity = false;  // A version of an entity; false for facts about conflicts, devices …
  bool tombstone = false;
  std::string stream;
  absl::string_view entity_type;  // Of an entity or conflict; these three point into `stream`.
  absl::string_view branch;
  absl::string_view entity_id;
  std::string version_id;
  version::v1::VersionMeta meta;
  std::string data;                               // JSON text; empty for a tombstone.
  std::unique_ptr<const ConflictEvent> conflict;  // Of an event about conflicts; else null.

  // Memory held, without what is rendered later.
  size_t bytes() const;
  // The JSON of the event from after its kind: `","version_id":…}`.
  const std::string& RenderedTail(EventBody body) const;

 private:
  mutable std::array<std::string, 3> tails_;
};

// shared_ptr: one event waits in a ring and in the batches of many subscriptions at once.
using FeedEventPtr = std::shared_ptr<const FeedEvent>;

}  // namespace bdcsync::gateway
