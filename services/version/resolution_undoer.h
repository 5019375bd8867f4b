// Takes a recorded resolution back: conflict plans what the head would be without it, and a new
// version makes it so; what was written since stays. Thread-safe; never blocks.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/version/v1/version.pb.h"
#include "services/version/conflict_closer.h"

namespace bdcsync::version {

class ResolutionUndoer {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<v1::UndoResolutionResponse>)>;

  explicit ResolutionUndoer(const ConflictTools& tools) : tools_(tools) {}

  // kNotFound: there is no such resolution. kPreconditionFailed: its time has passed, it was
  // undone, or nothing of it is left. kUnavailable: ask again; a repeated request gets its first
  // answer.
  void Undo(v1::UndoResolutionRequest request, Callback callback);

 private:
  const ConflictTools tools_;
};

}  // namespace bdcsync::version
