#include "libs/json/merge_patch.h"

#include "libs/json/path_list.h"
#include "libs/json/pointer.h"

namespace bdcsync::json {
namespace {

// Where changes are noted, or nowhere.
struct Changes {
  std::vector<std::string>* paths = nullptr;
  std::string here;

  void Note() {
    if (paths != nullptr) paths->push_back(here);
  }
};

// Notes places below `here` while it lives.
class Below {
 public:
  Below(Changes& changes, absl::string_view key) : changes_(changes), size_(changes.here.size()) {
    if (changes.paths != nullptr) AppendToken(key, changes.here);
  }
  ~Below() { changes_.here.resize(size_); }

 private:
  Changes& changes_;
  size_t size_;
};

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
void RemoveNulled(Object& target, const Object& patch, Changes& changes) {
  std::vector<const Member*> found;
  for (const Member& member : patch) {
    if (!member.value.is_null() || !target.contains(member.key)) continue;
    found.push_back(&member);
    const Below below(changes, member.key);
    changes.Note();
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

void Apply(Value& target, const Value& patch, Changes& changes) {
  if (!patch.is_object() || !target.is_object()) {
    Value replacement = WithoutNulls(patch);
    if (changes.paths != nullptr && !Identical(target, replacement)) changes.Note();
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
      changes.Note();
    }
  }
}

}  // namespace

void ApplyMergePatch(Value& target, const Value& patch) {
  Changes unlisted;
  Apply(target, patch, unlisted);
}

std::vector<std::string> ApplyMergePatchAndList(Value& target, const Value& patch,
                                                size_t paths_max) {
  std::vector<std::string> paths;
  Changes changes{&paths, ""};
  Apply(target, patch, changes);
  CutToAncestors(paths, paths_max);
  return paths;
}

}  // namespace bdcsync::json
