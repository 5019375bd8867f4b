// One operation on its way through a batch: what was asked, where its answer goes, and how far it
// is. Belongs to the batch's run, one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "bdcsync/version/v1/version.pb.h"
#include "libs/base/call_trace.h"
#include "libs/entity/key.h"
#include "services/version/apply_operation.h"
#include "services/version/conflict_closing.h"
#include "services/version/conflict_opening.h"
#include "services/version/entity_state.h"
#include "services/version/text_work.h"

namespace bdcsync::version {

class EntityLine;

// A call of Commit whose operations may travel in several batches; runs `done` after the last one.
class CommitCall {
 public:
  CommitCall(size_t operations, size_t data_bytes_max, CallTrace trace,
             absl::AnyInvocable<void()> done)
      : data_bytes_max_(data_bytes_max),
        trace_(std::move(trace)),
        waiting_(operations),
        done_(std::move(done)) {}
  const CallTrace& trace() const { return trace_; }
  // Whether data of so many bytes has a place in the answer; the first has one in any case.
  bool TakeDataBytes(size_t bytes) {
    const size_t taken = data_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return taken == 0 || taken + bytes <= data_bytes_max_;
  }
  void OnAnswered() {
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_();
  }

 private:
  const size_t data_bytes_max_;
  const CallTrace trace_;
  std::atomic<size_t> data_bytes_{0};
  std::atomic<size_t> waiting_;
  absl::AnyInvocable<void()> done_;
};

// An operation in the queue. `item` and `result` are borrowed from the call until it is answered.
struct PendingOperation {
  const v1::CommitItem* item = nullptr;
  v1::CommitResult* result = nullptr;
  std::shared_ptr<CommitCall> call;  // Shared by the operations of one call.
  uint64_t client_batch = 0;         // Unique in this process; 0: came alone.
  uint64_t atomic_group = 0;         // Unique in this process; 0: stands alone.
  bool own = false;                  // The service's own, not a client's.
  const Closing* closing = nullptr;  // The conflict that it closes; borrowed like the item.

  const common::v1::Operation& operation() const { return item->operation(); }
};

enum class Stage {
  kWaiting,   // Not looked at, or to be looked at again.
  kMeeting,   // Waits for the resolver.
  kOpening,   // A person has to decide: waits to be put on its branch.
  kDoubted,   // About to be refused: waits for whether its op_id is known.
  kReady,     // Its version is made and waits to be appended.
  kAnswered,  // The result is filled in.
};

struct Work {
  PendingOperation pending;
  EntityLine* line = nullptr;
  Stage stage = Stage::kWaiting;
  bool refused = false;     // Answered with REJECTED for good.
  Work* earlier = nullptr;  // The one before it of its client batch on this entity.

  StatePtr before;                    // The head it follows, perhaps not stored yet.
  StatePtr base;                      // Where it was made, when that is not `before`.
  StatePtr ours;                      // What it makes of `base`, or of `before` without one.
  std::shared_ptr<EntityState> next;  // The version it makes. Filled in before it is shared.
  std::string meta;                   // That version's description.
  absl::Status error;                 // Why it is doubted.
  StatePtr client;                    // What its client had after it, if that had to be found out.
  bool merged = false;
  bool repeated = false;           // A batch before has committed it.
  bool is_new = false;             // The log did not hold it when this batch had its head.
  bool is_looked_up = false;       // It is being asked whether it does.
  bool needs_base = false;         // Of a text operation: the state that it names has to be read.
  std::unique_ptr<TextWork> text;  // Of a text operation, once it is looked at.
  int meeting_number = 0;          // Its place in the call to the resolver, from 1.
  int follows_meeting = 0;         // The meeting in the same call whose outcome it meets.

  // Of a meeting: when the places of theirs were written (entity_line_times.cc).
  std::vector<conflict::v1::Write> writes;
  bool can_tell_writes = false;      // They can be had, but are not here.
  int times_wanted = 0;              // How often the resolver has asked for them.
  bool does_without_writes = false;  // They cannot be had.
  bool without_asking = false;       // Too many conflicts are open: the later write wins.
  bool base_is_made = false;         // `base` is no stored version, but what this batch made.
  bool kept = false;                 // Meant for main, but kept on the branch of a conflict.
  std::string conflict_id;           // Of the branch that it is on; empty: none.
  std::unique_ptr<Opening> opening;  // While it is kOpening.

  // Only changes to main ask, and none that a person has decided.
  bool may_ask() const {
    const std::string& branch = pending.operation().entity().branch();
    return !without_asking && !kept && !pending.own &&
           (branch.empty() || branch == entity::kMainBranch);
  }
  // Whether it opens or closes a conflict, and the events that it appends.
  bool for_conflict() const { return opening != nullptr || pending.closing != nullptr; }
  int items() const {
    if (opening != nullptr) return opening->items();
    return pending.closing == nullptr ? 1 : 1 + Closing::kItems;
  }
};

}  // namespace bdcsync::version
