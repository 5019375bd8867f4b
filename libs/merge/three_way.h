// Three-way merge of JSON documents, pure. Objects merge member by member, arrays as sequences
// (diff3 over elements), anything else as a whole. Missing is not null. No value vanishes: every
// leaf of either side is in the result or in a decision. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/json/value.h"

namespace bdcsync::merge {

// "Theirs" is the side committed first (the head), "ours" the one that arrives.
enum class Side { kBase, kTheirs, kOurs };
absl::string_view SideName(Side side);  // "base", "theirs", "ours".

// What decided one place.
enum class Rule {
  kThreeWay,       // Only one side changed it: that side's change.
  kLastWriteWins,  // Both did, differently: MergeOptions::overlap.
  kEditWins,       // One side removed what the other changed: the change.
  kOpen,           // Both did, differently, and nobody decides: the result holds theirs meanwhile.
};
absl::string_view RuleName(Rule rule);  // "three_way", "lww", "edit_wins", "open".

// Who wins where both sides changed one thing differently.
enum class Overlap { kOurs, kTheirs, kOpen };

struct MergeOptions {
  // kOurs is last write wins when ours is the later write.
  Overlap overlap = Overlap::kOurs;
  // Steps for matching the elements of an array with those of its base (json::MatchSequences).
  size_t matching_work_max = 1'000'000;
};

// Where a decision about a part of an array lies: the index of the part's first element in each
// version and in the result. The values of such a decision are arrays: the parts.
struct Region {
  size_t base_begin = 0;
  size_t theirs_begin = 0;
  size_t ours_begin = 0;
  size_t result_begin = 0;
};

// One place where the result does not hold what both sides hold. nullopt: it does not exist there.
struct Decision {
  std::string path;  // JSON pointer; of the array when `region` is set.
  Rule rule;
  std::optional<json::Value> base;
  std::optional<json::Value> theirs;
  std::optional<json::Value> ours;
  std::optional<Side> chosen;  // Nothing while open.
  std::optional<Region> region;
};

struct MergeResult {
  std::optional<json::Value> value;  // nullopt: deleted.
  // In document order. A clean change of one side is listed (kThreeWay) when it replaced or removed
  // a value that the other side still holds.
  std::vector<Decision> decisions;
  // Some place was changed by both sides, differently: a rule other than kThreeWay was needed.
  bool overlapped = false;
};

// Merges two documents that come from `base`; nullopt: does not exist. Work is linear but for
// arrays that both sides changed, which MergeOptions bounds. Laws: Merge(b, x, b) = x,
// Merge(b, x, x) = x; with sides and winner swapped the result is the same.
MergeResult Merge(const std::optional<json::Value>& base, const std::optional<json::Value>& theirs,
                  const std::optional<json::Value>& ours, const MergeOptions& options = {});

}  // namespace bdcsync::merge
