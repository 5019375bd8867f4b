#include "libs/ot/invert.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/ot/delta_reader.h"

namespace bdcsync::ot {
namespace {

// Takes back one component that retains or deletes. False when it cuts a surrogate pair.
bool InvertOver(DeltaReader& document, const Component& component, Delta& out) {
  int64_t left = component.length;
  while (left > 0 && !document.done()) {
    const int64_t length = std::min(left, document.length());
    if (component.kind == Component::Kind::kDelete) {
      if (!document.InsertInto(out, length, document.attributes())) return false;
    } else {
      out.Retain(length, Invert(component.attributes, document.attributes()));
      if (!document.SkipInsert(length)) return false;
    }
    left -= length;
  }
  return true;
}

}  // namespace

absl::StatusOr<Delta> Invert(const Delta& change, const Delta& document) {
  if (!document.IsDocument()) {
    return MakeError(Reason::kInvalidArgument, "a document only inserts");
  }
  if (change.BaseLength() > document.InsertedLength()) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("reaches ", change.BaseLength(), " units into a document of ",
                                  document.InsertedLength()));
  }
  Delta out;
  DeltaReader base(document);
  size_t index = 0;
  for (const Component& component : change.components()) {
    if (component.inserts()) {
      out.Delete(component.length);
    } else if (!InvertOver(base, component, out)) {
      return MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", index),
                         "a length ends between the halves of a surrogate pair");
    }
    ++index;
  }
  return out;
}

}  // namespace bdcsync::ot
