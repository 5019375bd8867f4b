#include "libs/json/object.h"

#include <algorithm>

#include "absl/hash/hash.h"

namespace bdcsync::json {

Object::Object(std::initializer_list<Member> members) : Object(std::vector<Member>(members)) {}

Object::Object(std::vector<Member> members) : members_(std::move(members)) {
  if (!Reindex()) SetEach(std::move(members_));
}

void Object::SetEach(std::vector<Member> members) {
  members_ = {};
  slots_.clear();
  for (Member& member : members) Set(member.key, std::move(member.value));
}

bool Object::Reindex() {
  slots_.clear();
  if (members_.size() <= kScanMembersMax) {
    for (size_t i = 1; i < members_.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (members_[i].key == members_[j].key) return false;
      }
    }
    return true;
  }
  size_t slots = 64;  // A power of two, and a multiple of Renumber's blocks.
  while (slots < members_.size() * 3) slots *= 2;
  slots_.resize(slots, kFree);
  for (size_t i = 0; i < members_.size(); ++i) {
    const size_t slot = SlotOf(members_[i].key);
    if (slots_[slot] != kFree) return false;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
  return true;
}

size_t Object::SlotOf(absl::string_view key) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = absl::HashOf(key) & mask;
  while (slots_[slot] != kFree && members_[slots_[slot] - 1].key != key) slot = (slot + 1) & mask;
  return slot;
}

std::optional<size_t> Object::PositionOf(absl::string_view key) const {
  if (!slots_.empty()) {
    const uint32_t found = slots_[SlotOf(key)];
    if (found == kFree) return std::nullopt;
    return found - 1;
  }
  for (size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].key == key) return i;
  }
  return std::nullopt;
}

const Value* Object::Find(absl::string_view key) const {
  const std::optional<size_t> position = PositionOf(key);
  return position ? &members_[*position].value : nullptr;
}

Value* Object::Find(absl::string_view key) {
  const std::optional<size_t> position = PositionOf(key);
  return position ? &members_[*position].value : nullptr;
}

Value& Object::Set(absl::string_view key, Value value) {
  if (const std::optional<size_t> position = PositionOf(key)) {
    return members_[*position].value = std::move(value);
  }
  AddNew(key, std::move(value));
  return members_.back().value;
}

Value& Object::operator[](absl::string_view key) {
  if (const std::optional<size_t> position = PositionOf(key)) return members_[*position].value;
  return Set(key, Value());
}

bool Object::Erase(absl::string_view key) {
  const std::optional<size_t> position = PositionOf(key);
  if (position) Extract(*position);
  return position.has_value();
}

Member Object::Extract(size_t position) {
  DropFromIndex(position);
  Member member = std::move(members_[position]);
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(position));
  if (members_.size() <= kScanMembersMax) slots_.clear();
  return member;
}

void Object::Insert(size_t position, Member member) {
  if (position == members_.size()) {
    Set(member.key, std::move(member.value));
    return;
  }
  Renumber(static_cast<uint32_t>(position), 1);
  members_.insert(members_.begin() + static_cast<std::ptrdiff_t>(position), std::move(member));
  if (slots_.empty() || slots_.size() < members_.size() * 2) {
    Reindex();
  } else {
    slots_[SlotOf(members_[position].key)] = static_cast<uint32_t>(position + 1);
  }
}

void Object::AddLastToIndex() {
  if (slots_.size() < members_.size() * 2) {
    Reindex();
  } else {
    slots_[SlotOf(members_.back().key)] = static_cast<uint32_t>(members_.size());
  }
}

void Object::DropFromIndex(size_t position) {
  if (slots_.empty()) return;
  const size_t mask = slots_.size() - 1;
  // Entries behind the hole move up when it lies between their own place and where they are.
  size_t hole = SlotOf(members_[position].key);
  for (size_t i = (hole + 1) & mask; slots_[i] != kFree; i = (i + 1) & mask) {
    const size_t home = absl::HashOf(absl::string_view(members_[slots_[i] - 1].key)) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole] = kFree;
  Renumber(static_cast<uint32_t>(position + 1), static_cast<uint32_t>(-1));
}

void Object::Renumber(uint32_t entry, uint32_t change) {
  constexpr size_t kBlock = 16;  // Of a fixed size, so that the compiler uses wide instructions.
  for (size_t begin = 0; begin < slots_.size(); begin += kBlock) {
    uint32_t* const block = slots_.data() + begin;
    for (size_t i = 0; i < kBlock; ++i) block[i] += block[i] > entry ? change : 0;
  }
}

}  // namespace bdcsync::json
