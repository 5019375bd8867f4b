#include "libs/ot/transform.h"

#include <algorithm>

#include "libs/ot/delta_reader.h"

namespace bdcsync::ot {

namespace {

// A delta that keeps some text and then inserts or deletes once: what typing makes.
struct Single {
  int64_t place = 0;
  const Component* edit = nullptr;  // Null: the delta is something else.
};

Single AsSingle(const Delta& delta) {
  const Delta::Components& components = delta.components();
  if (components.empty() || components.size() > 2) return {};
  const Component& first = components.front();
  const Component& last = components.back();
  if (last.kind == Component::Kind::kRetain) return {};
  if (components.size() == 1) return {0, &last};
  const bool plain = first.kind == Component::Kind::kRetain && first.attributes.empty();
  return plain ? Single{first.length, &last} : Single{};
}

// The general walk with all that cannot be left out of it.
Delta TransformSingle(const Single& change, const Single& other, Priority priority) {
  Delta out;
  const int64_t at = change.place;
  const int64_t begin = other.place;
  const int64_t end = begin + (other.edit->inserts() ? 0 : other.edit->length);
  const int64_t length = change.edit->length;
  if (!change.edit->inserts()) {
    const auto moved = [&](int64_t place) {
      return place <= at ? place : std::max(at, place - length);
    };
    out.Retain(moved(begin));
    other.edit->inserts() ? out.Push(*other.edit) : out.Delete(moved(end) - moved(begin));
  } else if (other.edit->inserts()) {
    const bool behind = at < begin || (at == begin && priority == Priority::kThis);
    out.Retain(behind ? begin + length : begin).Push(*other.edit);
  } else {  // What is inserted within deleted text stays.
    const int64_t in_front = std::clamp<int64_t>(at - begin, 0, end - begin);
    out.Retain(begin).Delete(in_front).Retain(length).Delete(end - begin - in_front);
  }
  return out;
}

}  // namespace

Delta Transform(const Delta& change, const Delta& other, Priority priority) {
  const Single single_change = AsSingle(change);
  const Single single_other = AsSingle(other);
  if (single_change.edit != nullptr && single_other.edit != nullptr) {
    return TransformSingle(single_change, single_other, priority);
  }
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
