#include "libs/rpc/elsewhere.h"

#include <grpcpp/alarm.h>

#include <utility>

namespace bdcsync::rpc {

void RunElsewhere(std::function<void()> task) {
  auto* const alarm = new grpc::Alarm;  // Deleted by what it runs.
  // A moment that is not long past would be rounded up to the next millisecond.
  alarm->Set(gpr_inf_past(GPR_CLOCK_MONOTONIC), [alarm, task = std::move(task)](bool) {
    task();
    delete alarm;
  });
}

}  // namespace bdcsync::rpc
