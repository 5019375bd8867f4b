#include "libs/base/stop_signal.h"

namespace bdcsync {

void StopSignal::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  told_.SignalAll();
}

bool StopSignal::stopped() const {
  absl::MutexLock lock(&mutex_);
  return stopped_;
}

bool StopSignal::WaitFor(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  return told_.AwaitFor(mutex_, timeout,
                        [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopped_; });
}

}  // namespace bdcsync
