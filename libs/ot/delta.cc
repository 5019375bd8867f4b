#include "libs/ot/delta.h"

#include <utility>

#include "libs/ot/utf16.h"

namespace bdcsync::ot {

using Kind = Component::Kind;

bool SameEmbed(const Embed& a, const Embed& b) {
  if (a.SharesWith(b)) return true;
  return static_cast<bool>(a) && static_cast<bool>(b) && *a == *b;
}

bool operator==(const Component& a, const Component& b) {
  return a.kind == b.kind && a.length == b.length && a.attributes == b.attributes &&
         a.text == b.text && SameEmbed(a.embed, b.embed);
}

void Delta::AddRetain() {
  Component& component = components_.emplace_back();
  component.kind = Kind::kRetain;
  component.length = std::exchange(retain_, 0);
}

Delta& Delta::Retain(int64_t length, const Attributes& attributes) {
  if (length <= 0) return *this;
  if (attributes.empty()) {
    retain_ += length;
    return *this;
  }
  if (retain_ == 0 && !components_.empty()) {
    Component& last = components_.back();
    if (last.kind == Kind::kRetain && last.attributes == attributes) {
      last.length += length;
      return *this;
    }
  }
  FlushRetain();
  Component& component = components_.emplace_back();
  component.kind = Kind::kRetain;
  component.length = length;
  component.attributes = attributes;
  return *this;
}

Delta& Delta::Delete(int64_t length) {
  if (length <= 0) return *this;
  FlushRetain();
  if (!components_.empty() && components_.back().kind == Kind::kDelete) {
    components_.back().length += length;
    return *this;
  }
  Component& component = components_.emplace_back();
  component.kind = Kind::kDelete;
  component.length = length;
  return *this;
}

Component* Delta::LastInsert(Kind kind, const Attributes& attributes) {
  size_t behind = components_.size();
  if (behind > 0 && components_[behind - 1].kind == Kind::kDelete) --behind;
  if (behind == 0) return nullptr;
  Component& last = components_[behind - 1];
  return last.kind == kind && last.attributes == attributes ? &last : nullptr;
}

// Before the delete that is last, if one is: it makes no difference, and one form is enough.
Component& Delta::AddInsert() {
  const bool after_delete = !components_.empty() && components_.back().kind == Kind::kDelete;
  Component& added = components_.emplace_back();
  if (!after_delete) return added;
  Component& before = components_[components_.size() - 2];
  std::swap(before, added);
  return before;
}

Delta& Delta::InsertText(absl::string_view utf8, const Attributes& attributes) {
  return InsertText(utf8, SizeOf(utf8).units, attributes);
}

Delta& Delta::InsertText(absl::string_view utf8, int64_t units, const Attributes& attributes) {
  if (utf8.empty()) return *this;
  FlushRetain();
  if (Component* last = LastInsert(Kind::kText, attributes)) {
    last->text.append(utf8.data(), utf8.size());
    last->length += units;
    return *this;
  }
  Component& component = AddInsert();
  component.kind = Kind::kText;
  component.length = units;
  component.attributes = attributes;
  component.text.assign(utf8.data(), utf8.size());
  return *this;
}

Delta& Delta::InsertEmbed(const Embed& embed, const Attributes& attributes) {
  FlushRetain();
  Component& component = AddInsert();
  component.kind = Kind::kEmbed;
  component.length = 1;
  component.attributes = attributes;
  component.embed = embed;
  return *this;
}

Delta& Delta::Push(const Component& component) {
  switch (component.kind) {
    case Kind::kRetain:
      return Retain(component.length, component.attributes);
    case Kind::kDelete:
      return Delete(component.length);
    case Kind::kText:
      return InsertText(component.text, component.length, component.attributes);
    case Kind::kEmbed:
      return InsertEmbed(component.embed, component.attributes);
  }
  return *this;
}

bool Delta::IsDocument() const {
  for (const Component& component : components_) {
    if (!component.inserts()) return false;
  }
  return true;
}

int64_t Delta::BaseLength() const {
  int64_t length = 0;
  for (const Component& component : components_) {
    if (!component.inserts()) length += component.length;
  }
  return length;
}

int64_t Delta::InsertedLength() const {
  int64_t length = 0;
  for (const Component& component : components_) {
    if (component.inserts()) length += component.length;
  }
  return length;
}

size_t Delta::TextBytes() const {
  size_t bytes = 0;
  for (const Component& component : components_) bytes += component.text.size();
  return bytes;
}

}  // namespace bdcsync::ot
