#include "libs/ot/history.h"

#include <utility>

#include "libs/base/status.h"
#include "libs/ot/compose.h"
#include "libs/ot/invert.h"
#include "libs/ot/transform.h"

namespace bdcsync::ot {
namespace {

Priority Opposite(Priority priority) {
  return priority == Priority::kThis ? Priority::kOther : Priority::kThis;
}

// Moves the two over each other, in place.
void Cross(Delta& theirs, Delta& ours, Priority priority) {
  Delta moved = Transform(theirs, ours, priority);
  theirs = Transform(ours, theirs, Opposite(priority));
  ours = std::move(moved);
}

}  // namespace

absl::StatusOr<Rebased> Rebase(absl::Span<const Delta> theirs, absl::Span<const Delta> ours,
                               const RebaseOptions& options) {
  Rebased result;
  const size_t distance_max = options.transform_distance_max;
  if (theirs.size() > distance_max || ours.size() > distance_max) {
    ASSIGN_OR_RETURN(Delta all_theirs, ComposeAll(theirs));
    ASSIGN_OR_RETURN(Delta all_ours, ComposeAll(ours));
    Cross(all_theirs, all_ours, options.priority);
    result.composed = true;
    result.theirs.push_back(std::move(all_theirs));
    result.ours.push_back(std::move(all_ours));
    return result;
  }
  result.theirs.assign(theirs.begin(), theirs.end());
  result.ours.assign(ours.begin(), ours.end());
  for (Delta& our : result.ours) {
    for (Delta& their : result.theirs) Cross(their, our, options.priority);
  }
  return result;
}

absl::StatusOr<Delta> Undo(const Delta& change, const Delta& document,
                           absl::Span<const Delta> later, const RebaseOptions& options) {
  ASSIGN_OR_RETURN(Delta inverse, Invert(change, document));
  if (later.size() > options.transform_distance_max) {
    ASSIGN_OR_RETURN(const Delta all, ComposeAll(later));
    return Transform(all, inverse, options.priority);
  }
  for (const Delta& operation : later) inverse = Transform(operation, inverse, options.priority);
  return inverse;
}

}  // namespace bdcsync::ot
