#include "libs/app/last_resort.h"

#include <unistd.h>

namespace bdcsync::app {

LastResort::LastResort(absl::Duration patience, int status, const log::Logger& logger)
    : thread_([this, patience, status, logger] {
        if (stopped_.WaitFor(patience)) return;
        logger.Warn("something does not stop; the process ends without it",
                    {{"waited", absl::FormatDuration(patience)}});
        logger.Flush();
        _exit(status);
      }) {}

LastResort::~LastResort() {
  stopped_.Stop();
  thread_.join();
}

}  // namespace bdcsync::app
