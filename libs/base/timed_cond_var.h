// A condition variable whose limits are measured on the monotonic clock. Abseil's own waits with a
// limit end when the wall clock says so: where that is set back by an hour, they last an hour
// longer. Used with an absl::Mutex, like absl::CondVar. Thread-safe.
#pragma once

#include <condition_variable>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace bdcsync {

class TimedCondVar {
 public:
  TimedCondVar() = default;
  TimedCondVar(const TimedCondVar&) = delete;
  TimedCondVar& operator=(const TimedCondVar&) = delete;

  // Wakes one or all that wait. With the mutex or without it, after what they wait for has changed.
  void Signal() { changed_.notify_one(); }
  void SignalAll() { changed_.notify_all(); }

  // Lets go of `mutex` until it is signalled, at most for `timeout`; it may end sooner, too, for no
  // reason.
  void WaitFor(absl::Mutex& mutex, absl::Duration timeout) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  // Waits until `ready` is true, at most for `timeout`. It is asked with the mutex held, at first
  // and after each signal. Returns what it said last.
  template <typename Ready>
  bool AwaitFor(absl::Mutex& mutex, absl::Duration timeout, Ready ready)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const absl::Duration end = Now() + timeout;
    while (!ready()) {
      const absl::Duration left = end - Now();
      if (left <= absl::ZeroDuration()) return false;
      WaitFor(mutex, left);
    }
    return true;
  }

 private:
  static absl::Duration Now();

  std::condition_variable_any changed_;
};

}  // namespace bdcsync
