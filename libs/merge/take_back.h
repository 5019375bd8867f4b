// Takes decisions of a merge back: where one side was preferred to the other, the other stands
// again, and what was written since stays. Pure. Thread-safe. Laws: nothing taken back is the head;
// on a head that nobody has touched, the losing value stands at each place taken back and nothing
// else changes; what the head holds otherwise than the resolved document stands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/merge/three_way.h"

namespace bdcsync::merge {

// What lost: the other side's value where a side was chosen; where something else was (a merged
// value, a third one, the base's), theirs: as if ours had not come. Nothing: does not exist.
const std::optional<json::Value>& LosingValue(const Decision& decision);

// `resolved` with the losing value at each place. `paths`: only of decisions with these paths;
// empty: of all where two changes met, so that a clean change (kNone), or a sum of two, is taken
// back only by name. An element that returns to a keyed list stands at its end.
//   kInvalidArgument     no decision has one of `paths`, which the error names.
//   kPreconditionFailed  `resolved` is not what the decisions were made for; names the path.
absl::StatusOr<std::optional<json::Value>> WithLosersBack(
    const std::optional<json::Value>& resolved, absl::Span<const Decision> decisions,
    absl::Span<const std::string> paths);

// The same merged onto `head`, which came after `resolved`, by the structure that options.rules
// describes (keys of lists, counters, texts). Where both changed one place the head stands. Errors
// as above.
absl::StatusOr<MergeResult> TakeBack(absl::Span<const Decision> decisions,
                                     absl::Span<const std::string> paths,
                                     const std::optional<json::Value>& resolved,
                                     std::optional<json::Value> head,
                                     const MergeOptions& options = {});

}  // namespace bdcsync::merge
