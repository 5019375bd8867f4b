// Ends the process when a stop does not come to its end: a thread waits for a driver or a disk that
// never answers, and nothing can wake it. What was acknowledged is on disk. For run.cc only.
#pragma once

#include <thread>

#include "absl/time/time.h"
#include "libs/base/stop_signal.h"
#include "libs/log/logger.h"

namespace bdcsync::app {

class LastResort {
 public:
  // Ends the process with `status`, after a warning, unless this is destroyed within `patience`.
  LastResort(absl::Duration patience, int status, const log::Logger& logger);
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  StopSignal stopped_;
  std::thread thread_;
};

}  // namespace bdcsync::app
