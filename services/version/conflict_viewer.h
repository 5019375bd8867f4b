// Shows conflicts with the states that meet in them, and what a decision would make of them.
// Changes nothing. Thread-safe; never blocks.
#pragma once

#include <cstddef>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/version/conflict_desk.h"
#include "services/version/event_log.h"

namespace bdcsync::version {

// Documents in one answer; views beyond it are refused as too_large: ask for fewer.
inline constexpr size_t kViewBytesMax = size_t{10} << 20;

class ConflictViewer {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<v1::ViewConflictsResponse>)>;

  // Both are borrowed and outlive every call.
  ConflictViewer(EventLog& log, ConflictDesk& desk) : log_(log), desk_(desk) {}

  // Fails with kInvalidArgument (too many items) or kUnavailable (no conflict could be looked up);
  // what is wrong with one item is said in its view.
  void View(v1::ViewConflictsRequest request, Callback callback);

 private:
  EventLog& log_;
  ConflictDesk& desk_;
};

}  // namespace bdcsync::version
