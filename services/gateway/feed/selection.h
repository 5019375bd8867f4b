// What a presence state says of a place in a text, {"selection": {entity_type, entity_id, branch?,
// path, version_id, anchor, head}}, and how it moves as the text changes. Positions are UTF-16
// units of the text at `version_id`. A value. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/entity/version_id.h"
#include "libs/ot/delta.h"
#include "services/gateway/feed/event_ring.h"
#include "services/gateway/feed/feed_event.h"

namespace bdcsync::gateway {

// Events, from the newest back, among which a state's own version is looked for when it is told.
inline constexpr int64_t kSelectionEventsMax = 1000;
// Bytes of text operations that it is moved over then: every state that anybody sends costs as much
// at every gateway.
inline constexpr size_t kSelectionBytesMax = 128 << 10;

// What an event did to a text, read when it is first asked for, once for all who have a selection
// there. Borrows the event.
class EventText {
 public:
  explicit EventText(const FeedEvent& event) : event_(event) {}
  const FeedEvent& event() const { return event_; }
  // Null when it did not touch the text at `path`, or does not say how.
  const ot::Delta* ChangeOf(absl::string_view path);

 private:
  void Read();

  const FeedEvent& event_;
  bool read_ = false;
  std::string path_;
  std::optional<ot::Delta> change_;
};

class Selection {
 public:
  // The selection of a presence state, which is JSON text; nothing when there is none, or not one
  // of this form: such a state goes out as it came.
  static std::optional<Selection> Of(absl::string_view state);

  // The stream that the text is in.
  const std::string& stream() const { return stream_; }

  // Moves on over the event of `text`, if it is the next version of the entity. What the one who is
  // there (`own`) inserts right at a position pushes it on, what others insert there does not.
  void MoveOver(EventText& text, bool own);
  // Moves on over all of `recent` that came after its version, unless that is more than may be.
  // `user_id` and `device_id`: whose it is.
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
