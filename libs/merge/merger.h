// One merge under way. It works inside theirs: what becomes of a place is left there, or moved
// there from ours. Internal to the merge. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/json/value.h"
#include "libs/merge/array_regions.h"
#include "libs/merge/three_way.h"

namespace bdcsync::merge {

struct ListIds;

class Merger {
 public:
  explicit Merger(const MergeOptions& options);

  absl::StatusOr<MergeResult> Run(const std::optional<json::Value>& base,
                                  std::optional<json::Value> theirs,
                                  std::optional<json::Value> ours);

 private:
  // One place in all three versions. nullptr: it does not exist there.
  struct Versions {
    const json::Value* base;
    json::Value* theirs;
    json::Value* ours;
  };
  // Where the result of a place is.
  enum class Outcome { kTheirs, kOurs, kGone };
  // A place as rules see it.
  struct Place {
    RuleSet::State state;
    const Rule& policy;  // Of the nearest place above that has a rule, for places without one.
    RuleKind kind;       // How this place itself merges.
  };
  // Two changes that meet: of a value, which differs from the base and between the sides, or of an
  // element's place in its list.
  struct Clash {
    // nullptr: it was removed, or there was none.
    const json::Value* base = nullptr;
    const json::Value* theirs = nullptr;
    const json::Value* ours = nullptr;
    ConflictKind kind = ConflictKind::kEditEdit;
    const Region* region = nullptr;  // Of a stretch of an array.

    bool of_places() const {
      return kind == ConflictKind::kMoveMove || kind == ConflictKind::kMoveDelete;
    }
  };
  struct Verdict {
    RuleKind rule;
    std::optional<Side> chosen;               // Nothing: nobody decides.
    std::optional<json::Value> value;         // When kMerged or kValue is chosen.
    std::optional<ConflictKind> kind;         // When the rule says how they met.
    std::shared_ptr<const AskArguments> ask;  // When the place stays open.
    bool pending = false;                     // The evaluator will know later.
  };

  Place PlaceAt(RuleSet::State state, const Rule& above) const;
  Outcome Merge(const Versions& versions, const Place& place);

  // Values as a whole (merge_value.cc).
  Outcome MergeWhole(const Versions& versions, const Place& place);
  Outcome MergeClean(const Versions& versions, Side changed);
  Outcome Settle(const Versions& versions, Verdict verdict, ConflictKind kind);

  // What the rule or its `else` decides (judge.cc). nullptr: there is no rule left.
  Verdict Judge(const Rule* rule, const Clash& clash);
  // The same between a removal and a change.
  Verdict JudgeRemoval(const Rule& policy, const Clash& clash);
  // What this rule alone decides.
  std::optional<Verdict> Try(const Rule& rule, const Clash& clash);
  std::optional<Verdict> TryText(const Rule& rule, const Clash& clash);
  std::optional<Verdict> TryEvaluator(const Rule& rule, const Clash& clash);
  std::optional<Verdict> TakeAnswer(const Rule& rule, const Clash& clash, Answer answer);

  // Objects (three_way.cc).
  void MergeObjects(const json::Object* base, json::Object& theirs, json::Object& ours,
                    const Place& place);

  // Sequences (merge_sequence.cc).
  void MergeSequence(const json::Array& base, json::Value& theirs, json::Value& ours,
                     const Place& place);
  void MergeRegion(const ArrayRegion& region, const json::Array& base, json::Array& theirs,
                   json::Array& ours, const Place& place, json::Array& merged);

  // Lists whose elements are known by keys, and sets (merge_keyed.cc). False: they are none, and
  // nothing was done.
  bool MergeKeyedList(const json::Value* base, json::Value& theirs, json::Value& ours,
                      const Place& place);
  // One element in all versions, and what becomes of it.
  struct Element {
    Versions versions;
    json::Value* result = nullptr;  // nullptr: it is not in the result.
    bool moved_by_theirs = false;
    bool moved_by_ours = false;
  };
  Outcome MergeElement(const Element& element, const Place& place);
  std::vector<uint32_t> MergeOrder(const ListIds& ids, const std::vector<Element>& elements,
                                   const Place& place);
  bool MergeSet(const Versions& versions);

  // Make it before values of the place move: they may name it.
  Decision DecisionHere(RuleKind rule, ConflictKind kind);
  void Record(Decision decision);
  void AddNote(absl::string_view text);
  // Counts what it makes. What goes to others, or is called for each place, is not made any more
  // once too much was.
  std::string PathHere();
  bool has_too_many_paths() const { return path_bytes_ > options_.path_bytes_max; }
  Side LaterHere();

  const MergeOptions& options_;
  const RuleSet& rules_;
  json::MatchingWork matching_work_;
  const WordMerger word_merger_;
  const TextMerger& text_merger_;
  // The way from the root: members, and elements of keyed lists with the keys that name them.
  struct Step {
    const std::string* member;
    const json::Value* element;
    const std::vector<std::string>* keys;
    std::string token = {};  // Of an element, once it was needed.
  };
  std::vector<Step> path_;
  size_t path_bytes_ = 0;
  MergeResult result_;
};

}  // namespace bdcsync::merge
