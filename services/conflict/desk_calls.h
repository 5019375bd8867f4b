// Runs work that blocks on a pool of workers and gives its answer to who asked. Thread-safe; never
// blocks but in Drain.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::conflict {

class DeskCalls {
 public:
  template <typename Response>
  using Answer = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // `workers` is borrowed and must outlive this.
  explicit DeskCalls(rpc::WorkerPool& workers) : workers_(workers) {}
  ~DeskCalls() { Drain(absl::InfiniteFuture()); }
  DeskCalls(const DeskCalls&) = delete;
  DeskCalls& operator=(const DeskCalls&) = delete;

  // Keeps Drain waiting as long as it lives: for a call that is under way elsewhere.
  class UnderWay {
   public:
    explicit UnderWay(DeskCalls& calls) : calls_(calls) { calls_.Add(1); }
    ~UnderWay() { calls_.Add(-1); }
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

   private:
    DeskCalls& calls_;
  };

  // `answer` runs exactly once: with what `work` returned, or with UNAVAILABLE at once when too
  // much waits for a worker.
  template <typename Response>
  void Run(absl::AnyInvocable<absl::StatusOr<Response>()> work, Answer<Response> answer) {
    Add(1);
    // Outlives the task, which is lost when the pool is full.
    auto held = std::make_shared<Answer<Response>>(std::move(answer));
    const bool queued = workers_.Submit([this, held, work = std::move(work)]() mutable {
      (*held)(work());
      Add(-1);
    });
    if (queued) return;
    (*held)(MakeError(Reason::kUnavailable, "no worker is free"));
    Add(-1);
  }

  // Returns when nothing is under way, or at `deadline`.
  void Drain(absl::Time deadline) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(
                                 +[](int* under_way) { return *under_way == 0; }, &under_way_),
                             deadline);
  }

 private:
  void Add(int calls) {
    absl::MutexLock lock(&mutex_);
    under_way_ += calls;
  }

  rpc::WorkerPool& workers_;
  absl::Mutex mutex_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bdcsync::conflict
