// What a conflict comes to: the merge of its three states, with what was chosen for its open
// places. Pure. Thread-safe.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/evaluator.h"

namespace bdcsync::conflict {

inline constexpr int kChoicesMax = 256;  // Of one decision, paths counted.

class ConflictMerger {
 public:
  virtual ~ConflictMerger() = default;
  // Fills merged, open, decisions, proposed and notes of `result`. `kept` are choices from before
  // `item.choices`, which win over them; what is chosen for a place that was open, and is no more,
  // is passed over. `remote` answers for rules `remote`, but not about places that were left to a
  // person. False: it has to know more first; merge again then.
  //   kInvalidArgument  a state that is no JSON, an unknown choice, or a path that never was open,
  //                     with the place at fault.
  virtual absl::StatusOr<bool> Merge(const v1::Conflict& conflict, const v1::DecideItem& item,
                                     const std::vector<v1::Choice>& kept,
                                     merge::RuleEvaluator& remote,
                                     v1::DecideResult& result) const = 0;
};

// Choices as they are kept: one for each path, the later ones win.
std::vector<v1::Choice> FoldChoices(const std::vector<v1::Choice>& kept,
                                    const v1::DecideItem& item);
// kInvalidArgument for a choice that is none, or too many.
absl::Status CheckChoices(const v1::DecideItem& item);

}  // namespace bdcsync::conflict
