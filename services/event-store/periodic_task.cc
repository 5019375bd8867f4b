#include "services/event-store/periodic_task.h"

#include <utility>

namespace bdcsync::event_store {

PeriodicTask::PeriodicTask(absl::Duration interval, std::function<void()> task)
    : interval_(interval), task_(std::move(task)), thread_([this] { Run(); }) {}

PeriodicTask::~PeriodicTask() {
  stop_.Stop();
  thread_.join();
}

void PeriodicTask::Run() {
  while (!stop_.WaitFor(interval_)) task_();
}

}  // namespace bdcsync::event_store
