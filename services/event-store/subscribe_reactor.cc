#include "services/event-store/subscribe_reactor.h"

#include <optional>
#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "libs/rpc/worker_pool.h"

namespace bdcsync::event_store {

SubscribeReactor::SubscribeReactor(CommitFeed& feed, rpc::WorkerPool& workers, Follower follower,
                                   Forget forget)
    : feed_(feed), workers_(workers), follower_(std::move(follower)), forget_(std::move(forget)) {}

// Listens before the first read, so that nothing falls between the two.
void SubscribeReactor::Start() {
  listener_ = feed_.Listen(follower_.scope(), [this] { Wake(); });
  listener_->Reached(follower_.reached());
  Schedule();
}

void SubscribeReactor::Wake() {
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kIdle) {
      woken_ = true;
      return;
    }
    state_ = State::kRunning;
  }
  Schedule();
}

void SubscribeReactor::Stop(absl::Status status) {
  {
    absl::MutexLock lock(&mutex_);
    if (stopped_.ok()) stopped_ = std::move(status);
  }
  Wake();
}

void SubscribeReactor::OnCancel() { Stop(absl::CancelledError("the subscriber left")); }

void SubscribeReactor::OnWriteDone(bool ok) {
  if (!ok) {
    FinishWith(absl::CancelledError("the subscriber left"));
    return;
  }
  Schedule();
}

void SubscribeReactor::OnDone() {
  listener_.reset();
  forget_(this);
  delete this;
}

void SubscribeReactor::Schedule() {
  if (workers_.Submit([this] { Run(); })) return;
  FinishWith(MakeError(Reason::kUnavailable, "too many requests wait for a worker"));
}

void SubscribeReactor::Run() {
  while (true) {
    absl::Status stopped;
    {
      absl::MutexLock lock(&mutex_);
      woken_ = false;
      stopped = stopped_;
    }
    if (!stopped.ok()) return FinishWith(stopped);
    absl::StatusOr<std::optional<v1::SubscribeResponse>> next = follower_.Next();
    if (!next.ok()) return FinishWith(next.status());
    listener_->Reached(follower_.reached());
    if (next->has_value()) {
      response_ = std::move(**next);
      StartWrite(&response_);
      return;
    }
    absl::MutexLock lock(&mutex_);
    if (woken_) continue;
    state_ = State::kIdle;
    return;
  }
}

void SubscribeReactor::FinishWith(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    state_ = State::kFinished;
  }
  Finish(rpc::ToGrpc(status));
}

}  // namespace bdcsync::event_store
