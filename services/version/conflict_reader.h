// Reads what the log holds of a conflict: whether it is open, and the three states that meet in it.
// Asks the log every time. Thread-safe; never blocks.
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "services/version/conflict_facts.h"
#include "services/version/entity_state.h"
#include "services/version/event_log.h"

namespace bdcsync::version {

// A state that does not exist is NoState().
struct ConflictStates {
  FactsHead facts;  // Which conflicts about the entity are open.
  StatePtr base;    // What the change was made on.
  StatePtr theirs;  // The head of main.
  StatePtr ours;    // The head of the branch, but for its seal.
  StatePtr branch;  // The head of the branch. Without one the conflict was never opened.
};

class ConflictReader {
 public:
  using Callback = absl::AnyInvocable<void(absl::StatusOr<ConflictStates>)>;

  // `log` is borrowed and must outlive every read.
  explicit ConflictReader(EventLog& log) : log_(log) {}

  // `conflict` says which: entity, branch and base version. The heads may be of different moments:
  // who writes expects them. kUnavailable: try again. kTooLarge: the states do not fit one answer.
  void Read(const conflict::v1::Conflict& conflict, Callback callback);

 private:
  EventLog& log_;
};

}  // namespace bdcsync::version
