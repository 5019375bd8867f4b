// A Loop for tests: nothing runs until the test says so, and time passes only by its word. Tasks
// may be posted from the test's thread only.
#pragma once

#include <deque>
#include <map>
#include <utility>

#include "libs/base/clock.h"
#include "services/gateway/session/loop.h"

namespace bdcsync::gateway {

class ManualLoop final : public Loop {
 public:
  // Advance moves `clock` too.
  explicit ManualLoop(ManualClock& clock) : clock_(clock) {}

  void Post(Task task) override { posted_.push_back(std::move(task)); }
  TimerId RunAfter(absl::Duration delay, Task task) override {
    const TimerId id = ++last_timer_;
    timers_.emplace(std::pair(clock_.Monotonic() + delay, id), std::move(task));
    return id;
  }
  void Cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }

  // Runs what was posted, also by what runs.
  void RunPosted() {
    while (!posted_.empty()) {
      Task task = std::move(posted_.front());
      posted_.pop_front();
      std::move(task)();
    }
  }
  // Lets `by` pass, running timers when they are due.
  void Advance(absl::Duration by) {
    const absl::Duration until = clock_.Monotonic() + by;
    RunPosted();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      const auto first = timers_.begin();
      if (first->first.first > clock_.Monotonic()) {
        clock_.Advance(first->first.first - clock_.Monotonic());
      }
      Task task = std::move(first->second);
      timers_.erase(first);
      std::move(task)();
      RunPosted();
    }
    clock_.Advance(until - clock_.Monotonic());
  }
  size_t timers() const { return timers_.size(); }

 private:
  ManualClock& clock_;
  TimerId last_timer_ = kNoTimer;
  std::deque<Task> posted_;
  std::map<std::pair<absl::Duration, TimerId>, Task> timers_;
};

}  // namespace bdcsync::gateway
