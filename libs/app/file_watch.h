// Looks at files that may be replaced while the process runs, such as certificates: on an interval
// and whenever it is told to. Thread-safe; looks run one at a time.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/stop_signal.h"
#include "libs/log/logger.h"
#include "libs/metrics/registry.h"

namespace bdcsync::app {

class FileWatch {
 public:
  // Reads the files: true when they had changed and are in use, an error when what they hold cannot
  // be used, so that what was known before stays.
  using Look = std::function<absl::StatusOr<bool>()>;

  // `metrics` is borrowed.
  FileWatch(absl::Duration interval, const log::Logger& logger, metrics::Registry& metrics);
  ~FileWatch() { Stop(); }

  // `name`, of a closed set, is the label of the metric and stands in the log. What `look` refers
  // to must live until Stop.
  void Add(absl::string_view name, Look look);
  // Looks at everything before it returns.
  void LookNow();
  // No look runs afterwards.
  void Stop();

 private:
  struct Watched {
    std::string name;
    Look look;
    metrics::Counter& changed;
    metrics::Counter& failed;
  };
  void Run();

  const absl::Duration interval_;
  const log::Logger logger_;
  metrics::Registry& metrics_;
  absl::Mutex looking_;  // Held while a look runs, which reads files.
  std::vector<Watched> watched_ ABSL_GUARDED_BY(looking_);
  StopSignal stop_;
  std::thread thread_;  // From the first Add on.
};

}  // namespace bdcsync::app
