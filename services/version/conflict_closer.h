// Closes conflicts, each exactly once whoever asks and however often: reads what the log holds, has
// conflict merge it as was chosen, and commits the merge in line with the entity's other
// operations, in one atomic group with the fact and the end of the branch. What another was first
// to do is found in the log and told. Thread-safe; never blocks.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "services/version/commit_observer.h"
#include "services/version/committer.h"
#include "services/version/conflict_desk.h"
#include "services/version/conflict_reader.h"
#include "services/version/event_log.h"
#include "services/version/fact_recorder.h"

namespace bdcsync::version {

// How often a conflict is looked at again because the log moved meanwhile, before it is sent back.
inline constexpr int kClosingAttemptsMax = 16;

// What works on conflicts needs. All are borrowed and outlive every call.
struct ConflictTools {
  EventLog& log;
  ConflictDesk& desk;
  FactRecorder& facts;
  Committer& committer;
  Random& random;
  const Clock& clock;
  CommitObserver& observer;
};

class ConflictCloser {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<v1::CloseConflictsResponse>)>;

  explicit ConflictCloser(const ConflictTools& tools) : tools_(tools) {}

  // Fails with kInvalidArgument (too many items) or kUnavailable (no conflict could be looked up);
  // what becomes of one item is said in its result.
  void Close(v1::CloseConflictsRequest request, Callback callback);

 private:
  const ConflictTools tools_;
};

// The conflict as the log says it, with what only the desk's record holds.
conflict::v1::Conflict WithRecord(const conflict::v1::Conflict& logged,
                                  const conflict::v1::Conflict& record);

}  // namespace bdcsync::version
