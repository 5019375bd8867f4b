// Starts modules in order. A module whose dependency is away (its Start says UNAVAILABLE) is tried
// again, with backoff and jitter, on a thread of the starter's own, while the process already
// answers probes and the other modules work. Any other failure is final. TryAll, Continue, Stop and
// the destructor belong to one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/app/context.h"
#include "libs/app/module.h"
#include "libs/base/stop_signal.h"

namespace bdcsync::app {

// The longest wait between two attempts to start a module.
inline constexpr absl::Duration kStartRetryMax = absl::Seconds(5);

// Run once at most, by Continue or on the starter's thread.
struct StarterCallbacks {
  std::function<void()> on_started;             // Every module is started.
  std::function<void(absl::Status)> on_failed;  // A later attempt failed for good.
};

class Starter {
 public:
  // `context` and `modules` are borrowed. Adds a readiness check for each module.
  Starter(Context& context, const std::vector<Module*>& modules, StarterCallbacks callbacks);
  ~Starter();

  // Makes one attempt for each module that is not started. OK when all are, or can be later; an
  // error that waiting does not mend names the module, and modules behind it were not tried.
  absl::Status TryAll();
  // Goes on trying until all are started; at once when they are.
  void Continue();
  // Ends trying; returns the modules that are started, in the order of their starts.
  std::vector<Module*> Stop();

 private:
  struct Pending {
    Module* module;
    absl::Status status;  // Why it is not started.
  };

  void KeepTrying();
  void Record(Module* module, const absl::Status& status);
  absl::Status StatusOf(const Module* module) const;

  Context& context_;
  const StarterCallbacks callbacks_;
  metrics::Counter& retries_;
  log::Throttle warnings_;
  mutable absl::Mutex mutex_;
  std::vector<Pending> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<Module*> started_ ABSL_GUARDED_BY(mutex_);
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace bdcsync::app
