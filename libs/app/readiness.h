// Whether a process can serve, and why not: its phase and the checks that modules add. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace bdcsync::app {

class Readiness {
 public:
  enum class Phase { kStarting, kServing, kDraining };

  // A check that is not `required` is reported but does not make the process unready.
  void AddCheck(absl::string_view name, bool required, std::function<absl::Status()> check);
  void SetPhase(Phase phase);

  // OK, or UNAVAILABLE naming the phase and every required check that fails.
  absl::Status Get() const;
  // {"ready":false,"phase":"serving","checks":[{"name":…,"ok":false,"required":true,"reason":…}]}
  std::string ToJson() const;

 private:
  struct Check {
    std::string name;
    bool required;
    std::function<absl::Status()> run;
  };
  struct Result {
    std::string name;
    bool required;
    absl::Status status;
  };
  struct Report {
    Phase phase;
    std::vector<Result> results;
  };
  Report Run() const;
  static bool IsReady(const Report& report);

  mutable absl::Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kStarting;
  std::vector<Check> checks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::app
