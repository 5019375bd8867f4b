#include "libs/ot/transform.h"

#include <algorithm>

#include "libs/ot/delta_reader.h"

namespace bdcsync::ot {

Delta Transform(const Delta& change, const Delta& other, Priority priority) {
  Delta out;
  DeltaReader a(change);
  DeltaReader b(other);
  // After the end of `other` nothing of it is left.
  while (!b.done()) {
    if (a.inserts() && (priority == Priority::kThis || !b.inserts())) {
      out.Retain(a.length());
      a.Skip(a.length());
    } else if (b.inserts()) {
      b.InsertInto(out, b.length(), b.attributes());
    } else {
      const int64_t length = std::min(a.length(), b.length());
      if (!a.deletes()) {  // What both delete, or retain and delete, needs nothing more.
        if (b.deletes()) {
          out.Delete(length);
        } else if (b.attributes().empty()) {
          out.Retain(length);
        } else {
          out.Retain(length, Transform(a.attributes(), b.attributes(), priority));
        }
      }
      a.Skip(length);
      b.Skip(length);
    }
  }
  return out;
}

int64_t TransformPosition(const Delta& change, int64_t position, Priority priority) {
  int64_t offset = 0;
  for (const Component& component : change.components()) {
    if (offset > position) break;
    if (component.kind == Component::Kind::kDelete) {
      position -= std::min(component.length, position - offset);
      continue;
    }
    const bool pushes = offset < position || priority == Priority::kOther;
    if (component.inserts() && pushes) position += component.length;
    offset += component.length;
  }
  return position;
}

}  // namespace bdcsync::ot
