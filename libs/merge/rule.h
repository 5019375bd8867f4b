// What decides about one place of a document when its versions are merged. Values; reads are
// thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/merge/script_port.h"

namespace bdcsync::merge {

// "Theirs" is the side committed first (the head), "ours" the one that arrives. kMerged: made of
// both by a rule. kValue: something else, which a script, another program or a person gave.
enum class Side { kBase, kTheirs, kOurs, kMerged, kValue };
absl::string_view SideName(Side side);  // "base", "theirs", "ours", "merged", "value".
// Nothing when there is no side of this name.
std::optional<Side> SideFromName(absl::string_view name);

// In order of strength: of several rules that decided, the last one tells most.
enum class RuleKind {
  kThreeWay,       // Objects by member, arrays as sequences; what one side changed is that side's.
  kSequence,       // An array by diff3 over its elements.
  kSetUnion,       // An array as a set: what a side added is there, what a side removed is not.
  kKeyedList,      // An array of objects known by their keys; elements merge as objects.
  kAtomic,         // As a whole: what both changed is an overlap.
  kCounter,        // A number: both changes are added.
  kMax,            // The greater number or text.
  kMin,            // The lesser.
  kText,           // A string: both changes, word by word.
  kStateMachine,   // The state that is further by the transitions allowed.
  kScript,         // What a script makes of them (MergeOptions::evaluator runs it).
  kRemote,         // What another program makes of them (the evaluator asks it).
  kOurs,           // Ours.
  kTheirs,         // Theirs.
  kFirstWrite,     // The earlier write.
  kLastWriteWins,  // The later write.
  kEditWins,       // One side removed what the other changed: the change.
  kDeleteWins,     // The same: the removal.
  kAsk,            // Nobody: an open conflict; the result holds theirs meanwhile.
};
// As rule sets and records write it: "three_way", "lww", …
absl::string_view RuleName(RuleKind rule);
// Nothing when no rule that can be asked for has this name.
std::optional<RuleKind> RuleFromName(absl::string_view name);
// The same of all that records hold: also "edit_wins" and "delete_wins".
std::optional<RuleKind> RecordedRule(absl::string_view name);

// Whether the rule can be an `else`: it decides about one value, whatever it holds.
bool DecidesAlone(RuleKind rule);
// Whether the rule always decides, so that it needs no `else`.
bool AlwaysDecides(RuleKind rule);

// What becomes of a place that one side removed and the other changed.
enum class OnDelete {
  kEditWins,
  kDeleteWins,
  kElse,     // The rule, or its `else`, decides as between two values.
  kAskRule,  // The rule decides; where it does not, its `else` by its own setting, at last the
             // edit.
};

// What a person, or a deadline, takes for an open place.
enum class Pick { kBase, kTheirs, kOurs, kProposed, kValue };
// "base", "theirs", "ours", "proposed", "value"; kProposed is what would be there had nobody been
// asked.
absl::string_view PickName(Pick pick);
std::optional<Pick> PickFromName(absl::string_view name);

// How a place waits for a person. What is not said is for the caller to say.
struct AskArguments {
  std::optional<absl::Duration> deadline;
  std::optional<Pick> fallback;  // Of the deadline; never kValue.
  std::string assign_to;         // A user; empty: anybody.
};

// States and which state may follow which.
class StateMachine {
 public:
  static constexpr size_t kStatesMax = 256;

  // True when the transition is new or known; false when there would be more than kStatesMax
  // states.
  bool Allow(absl::string_view from, absl::string_view to);
  bool AddState(absl::string_view name);
  // Finds what can be reached in any number of steps; call it once, after the last Allow.
  void Close();

  // Whether `to` can be reached from `from`, in one step or more; a state reaches itself.
  bool Reaches(absl::string_view from, absl::string_view to) const;
  bool Knows(absl::string_view state) const { return states_.contains(state); }

 private:
  absl::flat_hash_map<std::string, size_t> states_;
  std::vector<std::vector<bool>> reached_;
};

struct Rule {
  RuleKind kind = RuleKind::kThreeWay;
  OnDelete on_delete = OnDelete::kEditWins;
  std::vector<std::string> keys;  // Of kKeyedList.
  // Of kStateMachine. Shared by the copies of a rule, never changed.
  std::shared_ptr<const StateMachine> machine;
  std::shared_ptr<const CompiledScript> script;  // Of kScript. Shared, never changed.
  std::string resolver;                          // Of kRemote: the name of the program to ask.
  std::shared_ptr<const AskArguments> ask;       // Of kAsk, if it has any. Shared, never changed.
  // What decides where this rule does not; nullptr: last write wins. Shared, never changed.
  std::shared_ptr<const Rule> otherwise;
};

}  // namespace bdcsync::merge
