#include "services/event-store/pair_runner.h"

namespace bdcsync::event_store {

PairRunner::PairRunner() : thread_([this] { Loop(); }) {}

PairRunner::~PairRunner() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

void PairRunner::Run(absl::FunctionRef<void()> here, absl::FunctionRef<void()> there) {
  bool mine = false;
  {
    absl::MutexLock lock(&mutex_);
    mine = !taken_;
    if (mine) {
      taken_ = true;
      work_ = &there;
    }
  }
  here();
  if (!mine) {
    there();
    return;
  }
  const auto done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return work_ == nullptr; };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&done));
  taken_ = false;
}

void PairRunner::Loop() {
  const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return work_ != nullptr || stopping_;
  };
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(&wanted));
    if (work_ == nullptr) return;
    const absl::FunctionRef<void()> work = *work_;
    mutex_.Unlock();
    work();
    mutex_.Lock();
    work_ = nullptr;
  }
}

}  // namespace bdcsync::event_store
