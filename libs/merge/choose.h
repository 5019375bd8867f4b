// A merge whose open places are settled by what people, or a deadline, chose for them. Pure.
// Thread-safe. Laws: choosing a side everywhere gives what the rules would with that side for
// `ask`; choosing kProposed everywhere what they would with lww; choosing nothing changes nothing;
// what is not open merges as the rules say, whatever is chosen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/merge/three_way.h"

namespace bdcsync::merge {

struct Choice {
  Pick pick = Pick::kTheirs;
  // With kValue: what shall stand at the places, of a stretch of an array instead of it; without
  // paths, the whole document. Nothing: does not exist.
  std::optional<json::Value> value;
  std::vector<std::string> paths;  // Of open places, as Decision writes them; empty: all.
};

struct ChooseOptions {
  // As for the open merge. The evaluator decides about rules `script` and `remote`; `ask` is
  // decided by the choices.
  MergeOptions merge;
  // Where nobody has chosen, takes the place's fallback, or this if it has none.
  std::optional<Pick> fallback;
};

// Of choices about one place the last counts. Places that nobody has chosen for stay open. A place
// for which something was chosen has a decision by rule kAsk, one left to the proposal a decision
// by lww, or kText. kInvalidArgument, naming the path: it is not open, or a value cannot stand
// there (a place in a list takes none, a stretch of an array takes an array, and none if its path
// names several).
absl::StatusOr<MergeResult> Choose(const std::optional<json::Value>& base,
                                   const std::optional<json::Value>& theirs,
                                   const std::optional<json::Value>& ours,
                                   absl::Span<const Choice> choices, const ChooseOptions& options);

}  // namespace bdcsync::merge
