#include "services/event-store/plan_order.h"

#include <algorithm>
#include <utility>

namespace bdcsync::event_store {

int64_t PlanOrder::Begin() {
  absl::MutexLock lock(&mutex_);
  return begun_++;
}

bool PlanOrder::MayPlanAhead(int64_t number) const {
  absl::MutexLock lock(&mutex_);
  return number - committed_ == static_cast<int64_t>(standing_.size());
}

int64_t PlanOrder::Planned(BatchPlan* plan) {
  absl::MutexLock lock(&mutex_);
  standing_.push_back(plan);
  return falls_;
}

std::vector<BatchPlan*> PlanOrder::Fall() {
  absl::MutexLock lock(&mutex_);
  ++falls_;
  std::reverse(standing_.begin(), standing_.end());
  return std::exchange(standing_, {});
}

int64_t PlanOrder::falls() const {
  absl::MutexLock lock(&mutex_);
  return falls_;
}

void PlanOrder::Sent(int64_t number, uint64_t id, int64_t falls) {
  absl::MutexLock lock(&mutex_);
  sent_ = {number, id, falls};
}

uint64_t PlanOrder::AwaitSent(int64_t number, int64_t falls) {
  uint64_t behind = 0;
  const auto is_known = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (committed_ == number || falls_ != falls) return true;
    if (sent_.number != number - 1 || sent_.falls != falls) return false;
    behind = sent_.id;
    return behind != 0;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_known));
  return behind;
}

void PlanOrder::AwaitCommit(int64_t number) {
  const auto is_next = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return committed_ == number; };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_next));
}

void PlanOrder::Committed() {
  absl::MutexLock lock(&mutex_);
  ++committed_;
  if (!standing_.empty()) standing_.erase(standing_.begin());
}

void PlanOrder::AwaitSettle(int64_t number) {
  const auto is_next = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return settled_ == number; };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&is_next));
}

void PlanOrder::Settled() {
  absl::MutexLock lock(&mutex_);
  ++settled_;
}

std::size_t PlanOrder::standing() const {
  absl::MutexLock lock(&mutex_);
  return standing_.size();
}

bool PlanOrder::idle() const {
  absl::MutexLock lock(&mutex_);
  return settled_ == begun_;
}

}  // namespace bdcsync::event_store
