#include "libs/base/timed_cond_var.h"

#include <algorithm>

#include "libs/base/clock.h"

namespace bdcsync {
namespace {

// Longer waits end sooner, for no reason: the standard library adds to the clock without looking.
constexpr absl::Duration kWaitMax = absl::Hours(1);

// A mutex under the names that the standard library knows.
class Lockable {
 public:
  explicit Lockable(absl::Mutex& mutex) : mutex_(mutex) {}
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  absl::Mutex& mutex_;
};

}  // namespace

absl::Duration TimedCondVar::Now() { return SystemClock().Monotonic(); }

void TimedCondVar::WaitFor(absl::Mutex& mutex, absl::Duration timeout) {
  Lockable lockable(mutex);
  changed_.wait_for(lockable, absl::ToChronoNanoseconds(std::min(timeout, kWaitMax)));
}

}  // namespace bdcsync
