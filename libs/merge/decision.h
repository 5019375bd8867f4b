// What a merge decided and what it left open. Values.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"
#include "libs/merge/rule.h"

namespace bdcsync::merge {

// How the changes of the two sides met.
enum class ConflictKind {
  kNone,        // They did not: one side changed the place, or both changes stand in the result.
  kEditEdit,    // Both changed one value, differently.
  kEditDelete,  // One changed what the other removed.
  kAddAdd,      // Both added it, differently.
  kType,        // Both changed it, to values of different kinds.
  kRegion,      // Both changed one stretch of an array or of a text.
  kMoveMove,    // Both moved one element of a keyed list, to different places.
  kMoveDelete,  // One moved what the other removed.
  kViolation,   // The two changes together break the rule, e.g. no transition leads between them.
};
// "none", "edit_edit", "edit_delete", …
absl::string_view ConflictKindName(ConflictKind kind);
std::optional<ConflictKind> ConflictKindFromName(absl::string_view name);

// Where a decision about a part of an array lies: the index of the part's first element in each
// version and in the result. The values of such a decision are arrays: the parts.
struct Region {
  size_t base_begin = 0;
  size_t theirs_begin = 0;
  size_t ours_begin = 0;
  size_t result_begin = 0;
};

// One place where the result does not hold what both sides hold. nullopt: it does not exist there.
// Of kMoveMove the values are the positions of the element in the list.
struct Decision {
  // A JSON pointer; of the array when `region` is set. An element of a keyed list has a token of
  // its keys, `id=7`, for its index differs: "/items/id=7/name" (several keys: `a=1,b="x"`).
  std::string path;
  RuleKind rule;  // That decided; of an open conflict kAsk.
  ConflictKind kind = ConflictKind::kNone;
  std::optional<json::Value> base;
  std::optional<json::Value> theirs;
  std::optional<json::Value> ours;
  std::optional<Side> chosen;         // Nothing while open.
  std::optional<json::Value> result;  // What stands there, when kMerged or kValue is chosen.
  // How it waits for a person, when its rule says so; of a rule kAsk.
  std::shared_ptr<const AskArguments> ask;
  std::optional<Region> region;
};

// A rule that could not be followed at a place, and what was done instead.
struct Note {
  std::string path;
  std::string text;
};

struct MergeResult {
  std::optional<json::Value> value;  // nullopt: deleted.
  // Taken without asking anybody, in document order. A clean change of one side is listed
  // (kThreeWay, kNone) when it replaced or removed a value that the other side still holds.
  std::vector<Decision> decisions;
  std::vector<Decision> conflicts;  // Open; the result holds theirs there.
  std::vector<Note> notes;
  // Some place was changed by both sides, differently, and not both changes stand.
  bool overlapped = false;
  // Places about which the evaluator has said that it will know later: merge again then. They hold
  // theirs and are in no list.
  size_t pending = 0;
};

}  // namespace bdcsync::merge
