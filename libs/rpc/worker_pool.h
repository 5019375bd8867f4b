// A fixed number of threads for work that blocks, behind a bounded queue. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::rpc {

struct WorkerPoolLimits {
  std::size_t threads = 4;
  std::size_t queued_max = 4096;  // Tasks waiting for a thread; more are refused.
};

class WorkerPool {
 public:
  explicit WorkerPool(WorkerPoolLimits limits);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Tasks start in the order of Submit. False, and `task` never runs, when the queue is full or the
  // pool was stopped.
  [[nodiscard]] bool Submit(absl::AnyInvocable<void()> task);
  // Refuses new tasks, runs everything that was accepted, then returns. Not on one of its own
  // threads; the destructor does the same. Calling it again does nothing.
  void Stop();
  // Tasks waiting for a thread.
  std::size_t queued() const;

 private:
  void Work();

  const WorkerPoolLimits limits_;
  mutable absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // Written by constructor and Stop only.
};

}  // namespace bdcsync::rpc
