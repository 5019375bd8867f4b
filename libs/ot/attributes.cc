#include "libs/ot/attributes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bdcsync::ot {
namespace {

using json::Member;
using Members = std::vector<Member>;

bool ByName(const Member& a, const Member& b) { return a.key < b.key; }

// Calls take(value in a or null, value in b or null, name) for each name of either, in order.
template <typename Take>
void Walk(const Attributes& a, const Attributes& b, Take take) {
  auto x = a.members().begin();
  auto y = b.members().begin();
  while (x != a.members().end() || y != b.members().end()) {
    const bool has_x = x != a.members().end() && (y == b.members().end() || x->key <= y->key);
    const bool has_y = y != b.members().end() && (x == a.members().end() || y->key <= x->key);
    const std::string& name = has_x ? x->key : y->key;
    take(has_x ? &x->value : nullptr, has_y ? &y->value : nullptr, name);
    if (has_x) ++x;
    if (has_y) ++y;
  }
}

}  // namespace

Attributes::Attributes(Members members) {
  if (members.empty()) return;
  if (!std::is_sorted(members.begin(), members.end(), ByName)) {
    std::stable_sort(members.begin(), members.end(), ByName);
  }
  Members unique;
  unique.reserve(members.size());
  for (Member& member : members) {
    if (!unique.empty() && unique.back().key == member.key) {
      unique.back() = std::move(member);
    } else {
      unique.push_back(std::move(member));
    }
  }
  members_ = Shared<Members>(std::move(unique));
}

Attributes::Attributes(const json::Object& members)
    : Attributes(Members(members.begin(), members.end())) {}

const Members& Attributes::members() const {
  static const Members& none = *new Members();
  return members_ ? *members_ : none;
}

const json::Value* Attributes::Find(absl::string_view name) const {
  for (const Member& member : members()) {
    if (member.key == name) return &member.value;
  }
  return nullptr;
}

Attributes Attributes::WithoutNulls() const {
  const auto is_null = [](const Member& member) { return member.value.is_null(); };
  if (std::none_of(members().begin(), members().end(), is_null)) return *this;
  Members kept;
  std::remove_copy_if(members().begin(), members().end(), std::back_inserter(kept), is_null);
  return Attributes(std::move(kept));
}

bool operator==(const Attributes& a, const Attributes& b) {
  if (a.members_.SharesWith(b.members_)) return true;
  return std::equal(
      a.members().begin(), a.members().end(), b.members().begin(), b.members().end(),
      [](const Member& x, const Member& y) { return x.key == y.key && x.value == y.value; });
}

Attributes Compose(const Attributes& first, const Attributes& second, Nulls nulls) {
  if (second.empty()) return nulls == Nulls::kKeep ? first : first.WithoutNulls();
  if (first.empty()) return nulls == Nulls::kKeep ? second : second.WithoutNulls();
  Members result;
  Walk(first, second, [&](const json::Value* old, const json::Value* set, const std::string& name) {
    const json::Value& value = set != nullptr ? *set : *old;
    if (nulls == Nulls::kKeep || !value.is_null()) result.push_back({name, value});
  });
  return Attributes(std::move(result));
}

Attributes Diff(const Attributes& from, const Attributes& to) {
  if (from == to) return {};
  Members result;
  Walk(from, to, [&](const json::Value* old, const json::Value* set, const std::string& name) {
    if (old != nullptr && set != nullptr && *old == *set) return;
    result.push_back({name, set != nullptr ? *set : json::Value()});
  });
  return Attributes(std::move(result));
}

Attributes Invert(const Attributes& change, const Attributes& base) {
  Members result;
  Walk(change, base, [&](const json::Value* set, const json::Value* old, const std::string& name) {
    if (set == nullptr) return;
    // As quill-delta does: whatever is not the same scalar is set again, also where it was so.
    const bool scalar = !set->is_object() && !set->is_array();
    if (old != nullptr && scalar && *set == *old) return;
    result.push_back({name, old != nullptr ? *old : json::Value()});
  });
  return Attributes(std::move(result));
}

Attributes Transform(const Attributes& change, const Attributes& other, Priority priority) {
  if (change.empty() || other.empty() || priority == Priority::kOther) return other;
  Members result;
  Walk(change, other,
       [&](const json::Value* set, const json::Value* theirs, const std::string& name) {
         if (set == nullptr) result.push_back({name, *theirs});
       });
  return Attributes(std::move(result));
}

}  // namespace bdcsync::ot
