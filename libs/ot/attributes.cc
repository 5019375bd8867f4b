#include "libs/ot/attributes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bdcsync::ot {
namespace {

using json::Member;
using Formats = std::vector<Format>;

// Calls take(format of a or null, format of b or null) for each name of either, in order.
template <typename Take>
void Walk(const Attributes& a, const Attributes& b, Take take) {
  auto x = a.formats().begin();
  auto y = b.formats().begin();
  while (x != a.formats().end() || y != b.formats().end()) {
    const bool has_x = x != a.formats().end() && (y == b.formats().end() || x->name() <= y->name());
    const bool has_y = y != b.formats().end() && (x == a.formats().end() || y->name() <= x->name());
    take(has_x ? &*x : nullptr, has_y ? &*y : nullptr);
    if (has_x) ++x;
    if (has_y) ++y;
  }
}

Attributes OfMembers(std::vector<const Member*> members) {
  std::stable_sort(members.begin(), members.end(),
                   [](const Member* a, const Member* b) { return a->key < b->key; });
  Formats formats;
  formats.reserve(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    const bool last_of_name = i + 1 == members.size() || members[i + 1]->key != members[i]->key;
    if (last_of_name) formats.emplace_back(*members[i]);
  }
  return Attributes::Of(std::move(formats));
}

template <typename Members>
Attributes FromMembers(const Members& members) {
  std::vector<const Member*> pointers;
  pointers.reserve(members.size());
  for (const Member& member : members) pointers.push_back(&member);
  return OfMembers(std::move(pointers));
}

}  // namespace

const json::Value& Format::value() const {
  static const json::Value& null = *new json::Value();
  return is_taken_ ? null : member_->value;
}

Format Format::Taken() const {
  Format taken = *this;
  taken.is_taken_ = true;
  return taken;
}

bool operator==(const Format& a, const Format& b) {
  if (a.member_.SharesWith(b.member_) && a.is_taken_ == b.is_taken_) return true;
  return a.name() == b.name() && a.value() == b.value();
}

Attributes::Attributes(const std::vector<Member>& members) : Attributes(FromMembers(members)) {}

Attributes::Attributes(const json::Object& members) : Attributes(FromMembers(members)) {}

Attributes Attributes::Of(Formats formats) {
  Attributes attributes;
  if (!formats.empty()) attributes.formats_ = Shared<Formats>(std::move(formats));
  return attributes;
}

const Formats& Attributes::formats() const {
  static const Formats& none = *new Formats();
  return formats_ ? *formats_ : none;
}

const json::Value* Attributes::Find(absl::string_view name) const {
  for (const Format& format : formats()) {
    if (format.name() == name) return &format.value();
  }
  return nullptr;
}

Attributes Attributes::WithoutNulls() const {
  const auto is_null = [](const Format& format) { return format.value().is_null(); };
  if (std::none_of(formats().begin(), formats().end(), is_null)) return *this;
  Formats kept;
  std::remove_copy_if(formats().begin(), formats().end(), std::back_inserter(kept), is_null);
  return Of(std::move(kept));
}

bool operator==(const Attributes& a, const Attributes& b) {
  return a.formats_.SharesWith(b.formats_) || a.formats() == b.formats();
}

Attributes Compose(const Attributes& first, const Attributes& second, Nulls nulls) {
  if (second.empty()) return nulls == Nulls::kKeep ? first : first.WithoutNulls();
  if (first.empty()) return nulls == Nulls::kKeep ? second : second.WithoutNulls();
  Formats result;
  Walk(first, second, [&](const Format* old, const Format* set) {
    const Format& format = set != nullptr ? *set : *old;
    if (nulls == Nulls::kKeep || !format.value().is_null()) result.push_back(format);
  });
  return Attributes::Of(std::move(result));
}

Attributes Diff(const Attributes& from, const Attributes& to) {
  if (from == to) return {};
  Formats result;
  Walk(from, to, [&](const Format* old, const Format* set) {
    if (set == nullptr) {
      result.push_back(old->Taken());
    } else if (old == nullptr || !(*old == *set)) {
      result.push_back(*set);
    }
  });
  return Attributes::Of(std::move(result));
}

Attributes Invert(const Attributes& change, const Attributes& base) {
  Formats result;
  Walk(change, base, [&](const Format* set, const Format* old) {
    if (set == nullptr) return;
    // As quill-delta does: whatever is not the same scalar is set again, also where it was so.
    const bool scalar = !set->value().is_object() && !set->value().is_array();
    if (old != nullptr && scalar && set->value() == old->value()) return;
    result.push_back(old != nullptr ? *old : set->Taken());
  });
  return Attributes::Of(std::move(result));
}

Attributes Transform(const Attributes& change, const Attributes& other, Priority priority) {
  if (change.empty() || other.empty() || priority == Priority::kOther) return other;
  Formats result;
  Walk(change, other, [&](const Format* set, const Format* theirs) {
    if (set == nullptr) result.push_back(*theirs);
  });
  return Attributes::Of(std::move(result));
}

}  // namespace bdcsync::ot
