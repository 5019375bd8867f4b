#include "libs/json/merge_patch.h"

#include "libs/json/path_list.h"

namespace bdcsync::json {
namespace {

// Stands below `key` in the list of changes, if there is one, while it lives.
class Below {
 public:
  Below(PathList* changes, absl::string_view key) : changes_(changes) {
    if (changes_ != nullptr) changes_->Enter(key);
  }
  ~Below() {
    if (changes_ != nullptr) changes_->Leave();
  }
  Below(const Below&) = delete;
  Below& operator=(const Below&) = delete;

 private:
  PathList* changes_;
};

void Note(PathList* changes) {
  if (changes != nullptr) changes->Note();
}

// A patch against nothing: itself without its nulls.
Value WithoutNulls(const Value& patch) {
  if (!patch.is_object()) return patch;
  Object result;
  for (const Member& member : patch.object()) {
    if (!member.value.is_null()) result.Set(member.key, WithoutNulls(member.value));
  }
  return result;
}

// Removes the members that `patch` sets to null, in one pass when there are several.
void RemoveNulled(Object& target, const Object& patch, PathList* changes) {
  std::vector<const Member*> found;
  for (const Member& member : patch) {
    if (!member.value.is_null() || !target.contains(member.key)) continue;
    found.push_back(&member);
    const Below below(changes, member.key);
    Note(changes);
  }
  if (found.size() == 1) {
    target.Erase(found[0]->key);
  } else if (!found.empty()) {
    target.EraseIf([&](const Member& member) {
      const Value* patched = patch.Find(member.key);
      return patched != nullptr && patched->is_null();
    });
  }
}

void Apply(Value& target, const Value& patch, PathList* changes) {
  if (!patch.is_object() || !target.is_object()) {
    Value replacement = WithoutNulls(patch);
    if (changes != nullptr && !Identical(target, replacement)) Note(changes);
    target = std::move(replacement);
    return;
  }
  Object& object = target.object();
  RemoveNulled(object, patch.object(), changes);
  for (const Member& member : patch.object()) {
    if (member.value.is_null()) continue;
    const Below below(changes, member.key);
    if (Value* existing = object.Find(member.key)) {
      Apply(*existing, member.value, changes);
    } else {
      object.Set(member.key, WithoutNulls(member.value));
      Note(changes);
    }
  }
}

}  // namespace

void ApplyMergePatch(Value& target, const Value& patch) { Apply(target, patch, nullptr); }

std::vector<std::string> ApplyMergePatchAndList(Value& target, const Value& patch,
                                                size_t paths_max) {
  PathList changes(paths_max);
  Apply(target, patch, &changes);
  return changes.Take();
}

}  // namespace bdcsync::json
