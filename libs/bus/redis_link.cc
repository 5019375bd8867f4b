#include "libs/bus/redis_link.h"

#include <pthread.h>
#include <signal.h>

namespace bdcsync::bus {

void LinkState::SetConnected() {
  {
    absl::MutexLock lock(&mutex_);
    ++connects_;
  }
  Set(absl::OkStatus());
}

void LinkState::Set(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    const bool same = told_ && status.ok() == status_.ok();
    status_ = status;
    told_ = true;
    if (same) return;
  }
  if (on_change_) on_change_(status);
}

absl::Status LinkState::Get() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

uint64_t LinkState::reconnects() const {
  absl::MutexLock lock(&mutex_);
  return connects_ == 0 ? 0 : connects_ - 1;
}

void BlockSigpipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace bdcsync::bus
