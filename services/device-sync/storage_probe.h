// Keeps a recent answer to "does storage work?" for readiness, without making who asks wait: an
// answer that is too old starts a new question on a worker. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/clock.h"

namespace bdcsync::device_sync {

class StorageProbe {
 public:
  using Ping = std::function<absl::Status()>;
  // Runs a task elsewhere; false when it cannot.
  using Submit = std::function<bool(absl::AnyInvocable<void()>)>;

  // `ping` waits for storage. `clock` is borrowed; what `ping` borrows must outlive the worker.
  StorageProbe(Ping ping, Submit submit, const Clock& clock);

  // The last answer, at once. OK until there is one.
  absl::Status Last();

 private:
  struct State;
  const Submit submit_;
  const Clock& clock_;
  const std::shared_ptr<State> state_;  // Shared with the question that is out.
};

}  // namespace bdcsync::device_sync
