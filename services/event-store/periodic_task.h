// Runs a task again and again on a thread of its own, a fixed interval after the last run ended.
// The destructor waits for a run that is under way. Thread-safe.
#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "libs/base/stop_signal.h"

namespace bdcsync::event_store {

class PeriodicTask {
 public:
  PeriodicTask(absl::Duration interval, std::function<void()> task);
  ~PeriodicTask();
  PeriodicTask(const PeriodicTask&) = delete;
  PeriodicTask& operator=(const PeriodicTask&) = delete;

 private:
  void Run();

  const absl::Duration interval_;
  const std::function<void()> task_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace bdcsync::event_store
