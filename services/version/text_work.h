// How far a text operation is on its way to the head: what it is moved over, and what the client
// had. A value; belongs to the operation's Work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "libs/entity/version_id.h"
#include "libs/ot/delta.h"
#include "services/version/entity_state.h"
#include "services/version/text_change.h"

namespace bdcsync::version {

// What was committed to a text up to the version `to`, as it is to be done to a state that a client
// has, which may hold changes of its own that are committed too.
struct TextBridge {
  entity::VersionId to;
  std::vector<ot::Delta> theirs;

  // `ours`, done to the client's state, as it is done to `to`. Afterwards the bridge starts at the
  // client's state after `ours`.
  ot::Delta Cross(const ot::Delta& ours);
  // How many components Cross goes through at most: each step can be cut wherever others inserted.
  size_t WorkToCross(const ot::Delta& ours) const;
};

// How a text operation got to the head.
enum class TextRoute {
  kHead,        // It was made there, or said nothing about where it was made.
  kSteps,       // Moved over what was committed to the text since, one by one.
  kDifference,  // Moved over the difference between the text there and now.
  kMeeting,     // The text is not there any more: the rules merged it.
};

struct TextWork {
  TextChange asked;
  std::string committed;  // JSON of the operation as it was moved; empty: as asked.
  TextRoute route = TextRoute::kHead;
  std::optional<TextBridge> after;  // For what the client did next; to: the version it made.
};

}  // namespace bdcsync::version
