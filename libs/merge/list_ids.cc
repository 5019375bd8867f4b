#include "libs/merge/list_ids.h"

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/json/serialize.h"

namespace bdcsync::merge {
namespace {

using json::Array;
using json::Value;

constexpr uint32_t kNone = UINT32_MAX;

class Interner {
 public:
  // nullptr: the whole element is its key.
  Interner(const std::vector<std::string>* keys, size_t elements) : keys_(keys) {
    first_.reserve(elements);
    known_.reserve(elements);
  }

  uint32_t IdOf(const Value& element) {
    const auto [entry, added] = first_.try_emplace(Hash(element), size());
    if (added) return Add(element);
    uint32_t id = entry->second;
    while (!Same(*known_[id].element, element)) {
      if (known_[id].next == kNone) {
        known_[id].next = size();
        return Add(element);
      }
      id = known_[id].next;
    }
    return id;
  }
  // The first element with the number; nullptr: there is no such number yet.
  const Value* ElementOf(uint32_t id) const {
    return id < known_.size() ? known_[id].element : nullptr;
  }
  bool Same(const Value& a, const Value& b) const {
    if (keys_ == nullptr) return a == b;
    for (const std::string& key : *keys_) {
      if (*a.Find(key) != *b.Find(key)) return false;
    }
    return true;
  }
  uint32_t size() const { return static_cast<uint32_t>(known_.size()); }

 private:
  struct Known {
    const Value* element;
    uint32_t next = kNone;  // Another element with the same hash.
  };

  uint32_t Add(const Value& element) {
    known_.push_back({&element});
    return size() - 1;
  }
  uint64_t Hash(const Value& element) const {
    if (keys_ == nullptr) return HashOf(element);
    uint64_t hash = 0;
    for (const std::string& key : *keys_) hash = absl::HashOf(hash, HashOf(*element.Find(key)));
    return hash;
  }
  const std::vector<std::string>* keys_;
  absl::flat_hash_map<uint64_t, uint32_t> first_;
  std::vector<Known> known_;
};

// What keeps `element` from having keys; empty: nothing.
std::string Problem(const Value& element, const std::vector<std::string>& keys) {
  if (!element.is_object())
    return absl::StrCat("an element is no object: ", KindName(element.kind()));
  for (const std::string& key : keys) {
    const Value* value = element.Find(key);
    if (value == nullptr) return absl::StrCat("an element has no key \"", key, "\"");
    if (value->is_null() || value->is_array() || value->is_object()) {
      return absl::StrCat("a key is ", KindName(value->kind()), ": \"", key, "\"");
    }
  }
  return "";
}

std::string Duplicate(const Value& element, const std::vector<std::string>& keys) {
  return absl::StrCat(
      "two elements have one key: ",
      absl::StrJoin(keys, ",", [&element](std::string* out, const std::string& key) {
        absl::StrAppend(out, key, "=", json::Serialize(*element.Find(key)));
      }));
}

}  // namespace

ListIds IdsByKeys(const Array& base, const Array& theirs, const Array& ours,
                  const std::vector<std::string>& keys) {
  ListIds result;
  Interner interner(&keys, base.size());
  std::vector<uint32_t> last_list_with;  // By id: the last list that holds it, from 1.
  last_list_with.reserve(base.size());
  uint32_t list = 0;
  for (const auto& [elements, ids] :
       {std::pair(&base, &result.base), {&theirs, &result.theirs}, {&ours, &result.ours}}) {
    ++list;
    ids->reserve(elements->size());
    uint32_t expected = list == 1 ? kNone : 0;  // Mostly a list follows the order of base.
    for (const Value& element : *elements) {
      const Value* const known = interner.ElementOf(expected);
      uint32_t id = expected;
      if (known == nullptr || !element.SameWords(*known)) {
        if (result.problem = Problem(element, keys); !result.problem.empty()) return result;
        if (known == nullptr || !interner.Same(element, *known)) id = interner.IdOf(element);
      }
      if (list > 1) expected = id + 1;
      last_list_with.resize(interner.size());
      if (last_list_with[id] == list) {
        result.problem = Duplicate(element, keys);
        return result;
      }
      last_list_with[id] = list;
      ids->push_back(id);
    }
  }
  result.count = interner.size();
  return result;
}

ListIds IdsByValue(const Array& base, const Array& theirs, const Array& ours) {
  ListIds result;
  Interner interner(nullptr, base.size());
  for (const auto& [elements, ids] :
       {std::pair(&base, &result.base), {&theirs, &result.theirs}, {&ours, &result.ours}}) {
    ids->reserve(elements->size());
    for (const Value& element : *elements) ids->push_back(interner.IdOf(element));
  }
  result.count = interner.size();
  return result;
}

}  // namespace bdcsync::merge
