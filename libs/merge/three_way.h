// Three-way merge of JSON documents, pure. By default objects merge member by member, arrays as
// sequences (diff3 over elements), anything else as a whole, and of what both sides changed
// differently the later write wins; a rule set says otherwise by path. Missing is not null. No
// value vanishes: every leaf of either side is in the result, in a decision or in a conflict. Never
// applies one side's positions to the other. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "libs/json/value.h"
#include "libs/merge/decision.h"
#include "libs/merge/evaluator.h"
#include "libs/merge/rule.h"
#include "libs/merge/rule_set.h"
#include "libs/merge/text_merge.h"

namespace bdcsync::merge {

// A decision, a note and a question each have the path of their place, so a name that stands above
// many of them is there many times. 32 MiB are 100,000 changed places of 100 letters, thrice; names
// in documents of 1 MiB could make tens of GiB.
inline constexpr size_t kPathBytesMax = size_t{32} << 20;

struct MergeOptions {
  // Borrowed. nullptr: the defaults.
  const RuleSet* rules = nullptr;
  // The side written later, for lww and first_write: kOurs or kTheirs.
  Side later = Side::kOurs;
  // The same at one place, whose path is as Decision writes it; nothing: `later` everywhere. The
  // order of what both sides add or move is that of `later` in any case.
  std::function<Side(const std::string& path)> later_at;
  // Borrowed. How rule `text` merges; nullptr: WordMerger.
  const TextMerger* text = nullptr;
  // Borrowed. Decides where a rule `script`, `remote` or `ask` does; nullptr: the `else` of the
  // first two does, with a note, and what `ask` is for stays open.
  RuleEvaluator* evaluator = nullptr;
  // No rule chooses a side and nobody is asked: where not both changes can stand, those of this
  // side do (kOurs or kTheirs).
  std::optional<Side> standing;
  // Steps for matching the elements of an array, or the lines or words of a text, with those of its
  // base; all in the document together may take what json::MatchingWork says.
  size_t matching_work_max = 1'000'000;
  // Bytes of all paths that are made in one merge, also of those that nobody keeps.
  size_t path_bytes_max = kPathBytesMax;
};

// Merges two documents that come from `base`; nullopt: does not exist. The sides are used up: what
// neither changed moves into the result, so pass what you need no more by std::move. Work is linear
// but for matching the elements of arrays, which MergeOptions bounds, and n log n for the order of
// keyed lists. Laws: Merge(b, x, b) = x = Merge(b, b, x); Merge(b, x, x) = x without a counter;
// with sides and `later` swapped the result is the same.
//   kTooLarge   path_bytes_max is passed, by one path at most: the change can only be made on the
//               latest version, where nothing has to be merged.
absl::StatusOr<MergeResult> Merge(const std::optional<json::Value>& base,
                                  std::optional<json::Value> theirs,
                                  std::optional<json::Value> ours,
                                  const MergeOptions& options = {});

}  // namespace bdcsync::merge
