// What a presence state says of a place in a text, {"selection": {entity_type, entity_id, branch?,
// path, version_id, anchor, head}}, and how it moves as the text changes. Positions are UTF-16
// units of the text at `version_id`. A value. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/entity/version_id.h"
#include "services/gateway/feed/event_ring.h"
#include "services/gateway/feed/feed_event.h"

namespace bdcsync::gateway {

// Events, from the newest back, among which a state's own version is looked for when it is told.
inline constexpr int64_t kSelectionEventsMax = 1000;

class Selection {
 public:
  // The selection of a presence state, which is JSON text; nothing when there is none, or not one
  // of this form: such a state goes out as it came.
  static std::optional<Selection> Of(absl::string_view state);

  // The stream that the text is in.
  const std::string& stream() const { return stream_; }

  // Moves on over `event`, if it is the next version of the entity. What the one who is there
  // (`own`) inserts right at a position pushes it on, what others insert there does not.
  void MoveOver(const FeedEvent& event, bool own);
  // Moves on over all of `recent` that came after its version. `user_id` and `device_id`: whose it
  // is.
  void MoveOver(const EventRing& recent, absl::string_view user_id, absl::string_view device_id);

  // `state`, which this is of, with the selection as it is now.
  std::string In(absl::string_view state) const;
  bool moved() const { return moved_; }

 private:
  std::string stream_;
  std::string path_;
  entity::VersionId version_;
  int64_t anchor_ = 0;
  int64_t head_ = 0;
  bool moved_ = false;
};

}  // namespace bdcsync::gateway
