#include "services/version/text_work.h"

#include <utility>

#include "libs/ot/transform.h"

namespace bdcsync::version {

ot::Delta TextBridge::Cross(const ot::Delta& ours) {
  ot::Delta moved = ours;
  for (ot::Delta& their : theirs) {
    // What is committed was first.
    ot::Delta next = ot::Transform(their, moved, ot::Priority::kThis);
    their = ot::Transform(moved, their, ot::Priority::kOther);
    moved = std::move(next);
  }
  return moved;
}

size_t TextBridge::WorkToCross(const ot::Delta& ours) const {
  size_t components = ours.components().size();
  for (const ot::Delta& their : theirs) components += their.components().size();
  return theirs.size() * components;
}

}  // namespace bdcsync::version
