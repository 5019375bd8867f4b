// A loop for tests that runs when it is told to, in virtual time. One thread.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "libs/base/clock.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class FakeLoop final : public Loop {
 public:
  explicit FakeLoop(ManualClock& clock) : clock_(clock) {}

  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  TimerId RunAfter(absl::Duration delay, Task task) override {
    const TimerId id = ++last_timer_;
    timers_.emplace(std::pair(clock_.Monotonic() + delay, id), std::move(task));
    return id;
  }
  void Cancel(TimerId timer) override {
    for (auto at = timers_.begin(); at != timers_.end(); ++at) {
      if (at->first.second == timer) {
        timers_.erase(at);
        return;
      }
    }
  }
  // Runs what is posted, and what that posts, but no timer.
  void RunPosted() {
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }
  // Lets time pass, running timers as they come due.
  void RunFor(absl::Duration span) {
    const absl::Duration end = clock_.Monotonic() + span;
    RunPosted();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto timer = timers_.extract(timers_.begin());
      const absl::Duration wait = timer.key().first - clock_.Monotonic();
      if (wait > absl::ZeroDuration()) clock_.Advance(wait);
      timer.mapped()();
      RunPosted();
    }
    clock_.Advance(end - clock_.Monotonic());
  }

 private:
  ManualClock& clock_;
  std::deque<Task> tasks_;
  std::map<std::pair<absl::Duration, TimerId>, Task> timers_;
  TimerId last_timer_ = kNoTimer;
};

}  // namespace bdcsync::gateway
