// The order of one writer's batches where the next one is planned while the one before it is being
// committed: batches commit in the order they began, settle in that order, and a batch is planned
// ahead only on plans that stand. When a commit fails, the plans made on top of it fall. Blocks;
// thread-safe. Plans are borrowed, and only handed back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::event_store {

class BatchPlan;

class PlanOrder {
 public:
  // The next batch; its number. Call it in the order in which batches must be planned.
  int64_t Begin();

  // Whether every batch before `number` is committed or has a plan that stands, so that a plan for
  // `number` may rest on what they leave behind.
  bool MayPlanAhead(int64_t number) const;
  // `plan` stands: for the batch whose turn it is, or behind the plans that stand already. Returns
  // the number of falls so far.
  int64_t Planned(BatchPlan* plan);
  // Plans that stand, latest first; none does afterwards.
  std::vector<BatchPlan*> Fall();
  // How often plans fell; a plan stands while this is what Planned returned.
  int64_t falls() const;

  // The batch is on its way as `id` (CommitLine::Commit), by a plan of `falls`.
  void Sent(int64_t number, uint64_t id, int64_t falls);
  // Waits until the batch before `number`, whose plan is of `falls`, is on its way, and returns its
  // id; 0 if that plan fell, if none can be sent behind it, or if it is the turn of `number`.
  uint64_t AwaitSent(int64_t number, int64_t falls);

  // Waits until all batches before `number` are committed.
  void AwaitCommit(int64_t number);
  // The batch whose turn it was needs its plan no more; the next one may commit.
  void Committed();
  // Waits until all batches before `number` are settled.
  void AwaitSettle(int64_t number);
  void Settled();
  // Plans that stand.
  std::size_t standing() const;
  // Everything that began is settled.
  bool idle() const;

 private:
  mutable absl::Mutex mutex_;
  int64_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t committed_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t settled_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t falls_ ABSL_GUARDED_BY(mutex_) = 0;
  struct OnItsWay {
    int64_t number = -1;
    uint64_t id = 0;
    int64_t falls = 0;
  };
  OnItsWay sent_ ABSL_GUARDED_BY(mutex_);                     // The latest that was sent.
  std::vector<BatchPlan*> standing_ ABSL_GUARDED_BY(mutex_);  // Of the batches from committed_ on.
};

}  // namespace bdcsync::event_store
