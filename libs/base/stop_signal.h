// An end that is told once, for threads that do something now and then and wait in between. Waits
// are measured on the monotonic clock. Thread-safe.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/timed_cond_var.h"

namespace bdcsync {

class StopSignal {
 public:
  // Ends every wait, now and later.
  void Stop();
  bool stopped() const;
  // Waits until Stop is called, at most for `timeout`. Returns whether it was.
  bool WaitFor(absl::Duration timeout);

 private:
  mutable absl::Mutex mutex_;
  TimedCondVar told_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync
