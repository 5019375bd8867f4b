#include "libs/rpc/open_calls.h"

#include <grpcpp/alarm.h>

#include "libs/base/clock.h"
#include "libs/rpc/deadline.h"

namespace bdcsync::rpc {

OpenCalls::OpenCalls() = default;
OpenCalls::~OpenCalls() = default;

bool OpenCalls::Add(std::shared_ptr<Call> call) {
  absl::MutexLock lock(&mutex_);
  if (closed()) return false;
  const absl::Duration expires = call->expires_;
  Call* const key = call.get();
  calls_.emplace(std::make_pair(expires, key), std::move(call));
  if (expires < wakes_at_) WakeAt(expires);
  return true;
}

std::shared_ptr<OpenCalls::Call> OpenCalls::Remove(Call& call) {
  absl::MutexLock lock(&mutex_);
  const auto found = calls_.find({call.expires_, &call});
  std::shared_ptr<Call> held = std::move(found->second);
  calls_.erase(found);
  return held;
}

std::vector<std::shared_ptr<OpenCalls::Call>> OpenCalls::Close() {
  absl::MutexLock lock(&mutex_);
  closed_.store(true, std::memory_order_release);
  std::vector<std::shared_ptr<Call>> left;
  for (const auto& [key, call] : calls_) left.push_back(call);
  return left;
}

int OpenCalls::count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(calls_.size());
}

void OpenCalls::AwaitNone(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
  mutex_.AwaitWithDeadline(absl::Condition(&none), deadline);
}

void OpenCalls::WakeAt(absl::Duration moment) {
  wakes_at_ = moment;
  const absl::Duration left = moment - SystemClock().Monotonic();
  alarm_ = std::make_unique<grpc::Alarm>();  // The one before is told that it rings in vain.
  alarm_->Set(DeadlineAfter(left), [weak = weak_from_this()](bool rings) {
    if (!rings) return;
    if (const auto calls = weak.lock()) calls->TellTheLate();
  });
}

void OpenCalls::TellTheLate() {
  std::vector<std::shared_ptr<Call>> late;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = SystemClock().Monotonic();
    while (!calls_.empty() && calls_.begin()->first.first <= now) {
      auto call = calls_.extract(calls_.begin());
      call.mapped()->expires_ = absl::InfiniteDuration();
      late.push_back(call.mapped());
      call.key().first = absl::InfiniteDuration();
      calls_.insert(std::move(call));
    }
    wakes_at_ = absl::InfiniteDuration();
    if (!calls_.empty() && calls_.begin()->first.first != absl::InfiniteDuration()) {
      WakeAt(calls_.begin()->first.first);
    }
  }
  for (const std::shared_ptr<Call>& call : late) call->Expire();
}

}  // namespace bdcsync::rpc
