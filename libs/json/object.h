// The members of a JSON object in order of insertion, each key once. Looking up is a scan while the
// object is small, which is quickest then, and a hash table of positions above kScanMembersMax. The
// table holds no keys, so members may move. Include value.h, not this file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::json {

struct Member {
  Member() = default;
  Member(absl::string_view name, Value&& of_it)
      : key(name.data(), name.size()), value(std::move(of_it)) {}
  Member(absl::string_view name, const Value& of_it) : Member(name, Value(of_it)) {}

  std::string key;
  Value value;
};

class Object {
 public:
  static constexpr size_t kScanMembersMax = 12;

  Object() = default;
  // Of two members with one key the last one counts.
  Object(std::initializer_list<Member> members);
  explicit Object(std::vector<Member> members);

  size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  // In order of insertion.
  std::vector<Member>::const_iterator begin() const { return members_.begin(); }
  std::vector<Member>::const_iterator end() const { return members_.end(); }
  const Member& at(size_t position) const { return members_[position]; }
  Value& value_at(size_t position) { return members_[position].value; }

  const Value* Find(absl::string_view key) const;
  Value* Find(absl::string_view key);
  bool contains(absl::string_view key) const { return Find(key) != nullptr; }
  std::optional<size_t> PositionOf(absl::string_view key) const;

  // Replaces the value of `key` where it stands, or adds it at the end.
  Value& Set(absl::string_view key, Value value);
  // Adds a member whose key must be new at the end.
  void AddNew(absl::string_view key, Value&& value) {
    members_.emplace_back(key, std::move(value));
    if (members_.size() > kScanMembersMax) AddLastToIndex();
  }
  // The value of `key`, added as null when there was none.
  Value& operator[](absl::string_view key);
  // True when there was such a member. The others keep their order: linear.
  bool Erase(absl::string_view key);
  // Takes the member at `position` out; linear in the members after it.
  Member Extract(size_t position);
  // Puts a member, whose key must be new, before the one at `position`.
  void Insert(size_t position, Member member);
  // Removes all members for which `unwanted(member)` holds, in one pass.
  template <typename Predicate>
  size_t EraseIf(Predicate unwanted) {
    const size_t erased = std::erase_if(members_, unwanted);
    if (erased > 0) Reindex();
    return erased;
  }
  void Reserve(size_t members) { members_.reserve(members); }

 private:
  static constexpr uint32_t kFree = 0;

  // Makes `slots_` right for `members_`; false when two members have one key.
  bool Reindex();
  void SetEach(std::vector<Member> members);
  // The slot that holds `key`, or the free one where it would go. The table must not be empty.
  size_t SlotOf(absl::string_view key) const;
  void AddLastToIndex();
  void DropFromIndex(size_t position);
  // Adds `change` to all entries above `entry`.
  void Renumber(uint32_t entry, uint32_t change);

  std::vector<Member> members_;
  // Position + 1 or kFree, by open addressing; at most half full; empty while a scan is quicker.
  std::vector<uint32_t> slots_;
};

}  // namespace bdcsync::json

#include "libs/json/containers.h"
