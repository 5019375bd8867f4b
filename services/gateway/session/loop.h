// The single thread that a connection, its session and its subscriptions live on. Code that runs on
// it needs no locks. A loop outlives everything that holds a reference to it.
#pragma once

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace bdcsync::gateway {

// Names a timer of one loop; kNoTimer names none.
using TimerId = uint64_t;
inline constexpr TimerId kNoTimer = 0;

class Loop {
 public:
  using Task = absl::AnyInvocable<void()>;

  virtual ~Loop() = default;
  // Runs `task` on the loop's thread, soon, in the order of the calls. Any thread. A task posted
  // after the loop has stopped is destroyed without being run.
  virtual void Post(Task task) = 0;
  // Runs `task` once when `delay` has passed. Loop thread only.
  virtual TimerId RunAfter(absl::Duration delay, Task task) = 0;
  // The timer's task will not run; nothing happens when it has. Loop thread only.
  virtual void Cancel(TimerId timer) = 0;
};

}  // namespace bdcsync::gateway
