// Runs two pieces of work at once: one on the caller's thread, one on a thread of its own. A caller
// who finds that thread taken by another waits for nobody and runs both. Thread-safe.
#pragma once

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::event_store {

class PairRunner {
 public:
  PairRunner();
  // Nobody may be in Run.
  ~PairRunner();
  PairRunner(const PairRunner&) = delete;
  PairRunner& operator=(const PairRunner&) = delete;

  // Returns when both are done.
  void Run(absl::FunctionRef<void()> here, absl::FunctionRef<void()> there);

 private:
  void Loop();

  absl::Mutex mutex_;
  bool taken_ ABSL_GUARDED_BY(mutex_) = false;
  const absl::FunctionRef<void()>* work_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace bdcsync::event_store
