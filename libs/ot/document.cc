#include "libs/ot/document.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/json/value.h"
#include "libs/ot/invert.h"

namespace bdcsync::ot {

using Kind = Component::Kind;

namespace {

int64_t BytesOf(const Attributes& attributes) {
  size_t bytes = 0;
  for (const Format& format : attributes.formats()) {
    bytes += format.name().size() + json::Measure(format.value()).bytes;
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace

absl::StatusOr<Document> Document::From(const Delta& content, DocumentLimits limits) {
  if (!content.IsDocument()) {
    return MakeError(Reason::kInvalidArgument, "a document only inserts");
  }
  Document document(limits);
  RETURN_IF_ERROR(document.Apply(content));
  return document;
}

absl::Status Document::Check(const Delta& change) const {
  int64_t place = 0;
  int64_t bytes = size().bytes;
  int64_t formats_bytes = 0;
  size_t index = 0;
  for (const Component& component : change.components()) {
    if (component.inserts()) {
      bytes += static_cast<int64_t>(component.text.size());
    } else if (component.length > size().units - place) {
      return MakeErrorAt(
          Reason::kInvalidArgument, absl::StrCat("/", index),
          absl::StrCat("reaches past the end of a document of ", size().units, " units"));
    } else {
      if (!component.attributes.empty()) {
        formats_bytes += rope_.RunsIn(place, component.length) * BytesOf(component.attributes);
      }
      if (formats_bytes > limits_.formats_bytes_max) {
        return MakeErrorAt(Reason::kTooLarge, absl::StrCat("/", index),
                           absl::StrCat("the formats of the text would take more than ",
                                        limits_.formats_bytes_max, " bytes"));
      }
      place += component.length;
      if (!rope_.IsBoundary(place)) {
        return MakeErrorAt(Reason::kInvalidArgument, absl::StrCat("/", index),
                           "a length ends between the halves of a surrogate pair");
      }
    }
    ++index;
  }
  if (bytes > limits_.text_bytes_max) {
    return MakeError(Reason::kTooLarge, absl::StrCat("the text would be longer than ",
                                                     limits_.text_bytes_max, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status Document::Apply(const Delta& change) {
  RETURN_IF_ERROR(Check(change));
  int64_t place = 0;
  for (const Component& component : change.components()) {
    switch (component.kind) {
      case Kind::kRetain:
        if (!component.attributes.empty()) {
          rope_.Format(place, component.length, component.attributes);
        }
        place += component.length;
        break;
      case Kind::kDelete:
        rope_.Erase(place, component.length);
        break;
      case Kind::kText:
        rope_.InsertText(place, component.text, component.length, component.attributes);
        place += component.length;
        break;
      case Kind::kEmbed:
        rope_.InsertEmbed(place, component.embed, component.attributes);
        place += component.length;
        break;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Delta> Document::Invert(const Delta& change) const {
  RETURN_IF_ERROR(Check(change));
  Delta out;
  int64_t place = 0;
  for (const Component& component : change.components()) {
    if (component.inserts()) {
      out.Delete(component.length);
      continue;
    }
    if (component.kind == Kind::kRetain && component.attributes.empty()) {
      out.Retain(component.length);
    } else {
      Delta before;
      rope_.AddTo(before, place, component.length);
      Delta only;  // The component as if the document began with it.
      only.Push(component);
      ASSIGN_OR_RETURN(const Delta inverse, ot::Invert(only, before));
      for (const Component& part : inverse.components()) out.Push(part);
      out.Retain(component.kind == Kind::kRetain ? component.length - inverse.BaseLength() : 0);
    }
    place += component.length;
  }
  return out;
}

Delta Document::Content() const {
  Delta content;
  rope_.AddTo(content, 0, size().units);
  return content;
}

absl::StatusOr<Delta> Document::Slice(int64_t unit, int64_t units) const {
  if (unit < 0 || units < 0 || unit > size().units || units > size().units - unit) {
    return MakeError(Reason::kInvalidArgument,
                     absl::StrCat("not within a document of ", size().units, " units"));
  }
  if (!rope_.IsBoundary(unit) || !rope_.IsBoundary(unit + units)) {
    return MakeError(Reason::kInvalidArgument, "begins or ends within a surrogate pair");
  }
  Delta slice;
  rope_.AddTo(slice, unit, units);
  return slice;
}

bool Document::HasFormatsOver(int64_t bytes) const {
  int64_t found = 0;
  const Run* last = nullptr;
  rope_.ForEachLeaf([&](const RopeLeaf& leaf) {
    for (const Run& run : leaf.runs()) {
      if (found > bytes) return;
      const bool goes_on =  // From the leaf before: the same piece.
          last != nullptr && !last->embed && !run.embed && last->attributes == run.attributes;
      if (!goes_on) found += BytesOf(run.attributes);
      last = &run;
    }
  });
  return found > bytes;
}

std::string Document::Text() const {
  std::string text;
  text.reserve(static_cast<size_t>(size().bytes));
  rope_.ForEachLeaf(
      [&text](const RopeLeaf& leaf) { text.append(leaf.text().data(), leaf.text().size()); });
  return text;
}

}  // namespace bdcsync::ot
