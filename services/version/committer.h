// Turns operations into versions: the write path of the service. Operations on one entity are
// committed in the order of the calls, batched with those on other entities; a few batches are on
// their way at once. Thread-safe; never blocks but in Drain.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/ids.h"
#include "libs/rpc/lane_batcher.h"
#include "services/version/commit_limits.h"
#include "services/version/commit_run.h"
#include "services/version/head_cache.h"

namespace bdcsync::version {

class Committer {
 public:
  // All are borrowed and must outlive the committer.
  Committer(EventLog& log, Resolver& resolver, FactRecorder& facts, HeadCache& cache,
            Random& random, CommitObserver& observer, CommitLimits limits);
  // Waits until nothing is under way; the calls of log and resolver have deadlines.
  ~Committer() { Drain(absl::InfiniteFuture()); }
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Commits the items of `request` and fills one result per item into `response`, then runs `done`,
  // perhaps before it returns. Both messages are borrowed until then. Refusals and failures are
  // said per item: `unavailable` means that the item may or may not be committed, and may be
  // repeated with its op_id. Fails, and `done` never runs, only with kInvalidArgument: too many
  // items. The thread's CallScope goes with the operations; a batch of several calls has an id of
  // its own and the latest of their deadlines.
  absl::Status Commit(const v1::CommitRequest& request, v1::CommitResponse& response,
                      absl::AnyInvocable<void()> done);

  // Commits one operation that closes a conflict, with the fact that says so. It is put in line
  // with the others on its entity. `precondition_failed` when the conflict is not as `closing`
  // says. All are borrowed until `done` runs.
  void CommitClosing(const v1::CommitItem& item, const Closing& closing, v1::CommitResult& result,
                     absl::AnyInvocable<void()> done);

  // Commits one operation of the service's own, whose op_id no client may use.
  void CommitOwn(const v1::CommitItem& item, v1::CommitResult& result,
                 absl::AnyInvocable<void()> done);

  // Refuses new operations as unavailable and returns when none is under way, or at `deadline`.
  void Drain(absl::Time deadline);

  size_t queued() const { return batcher_.queued(); }

 private:
  using Group = std::vector<PendingOperation>;

  // A batch, cut into what runs together: operations that stand alone, or one atomic group.
  struct Segments;

  bool draining() const {
    absl::MutexLock lock(&mutex_);
    return draining_;
  }
  // Counts a call as under way until `done` has run.
  std::shared_ptr<CommitCall> StartCall(size_t operations, absl::AnyInvocable<void()> done);
  void SubmitOwn(const v1::CommitItem& item, const Closing* closing, v1::CommitResult& result,
                 absl::AnyInvocable<void()> done);
  void OnStarted();
  void OnFinished();
  void Submit(std::vector<Group> groups);
  // Numbers the group and refuses what cannot be queued; false when nothing is left.
  bool Accept(Group& group);
  bool AcceptWhole(Group& group);
  void Send(std::vector<PendingOperation> batch, absl::AnyInvocable<void()> done);
  CallTrace TraceOf(const std::vector<PendingOperation>& batch) const;
  void RunNext(std::shared_ptr<Segments> segments);
  void Refuse(const PendingOperation& pending, const absl::Status& error);
  void RefuseAll(Group& group, const absl::Status& error);

  const CommitLimits limits_;
  const CommitRun::Tools tools_;
  std::atomic<uint64_t> next_group_{1};
  mutable absl::Mutex mutex_;
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;  // Calls and batches.
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  rpc::LaneBatcher<PendingOperation> batcher_;  // Last: it uses all of the above.
};

}  // namespace bdcsync::version
