#include "services/conflict/remote/circuit_breaker.h"

#include <algorithm>

namespace bdcsync::conflict {

CircuitBreaker::CircuitBreaker(BreakerOptions options, const Clock& clock, Random& random)
    : options_(options), clock_(clock), random_(random), next_wait_(options.wait) {}

bool CircuitBreaker::MayCall() const {
  absl::MutexLock lock(&mutex_);
  return MayCallLocked();
}

bool CircuitBreaker::MayCallLocked() const {
  if (state_ == State::kClosed) return true;
  return state_ == State::kOpen && clock_.Monotonic() >= open_until_;
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::Admit() {
  absl::MutexLock lock(&mutex_);
  if (!MayCallLocked()) return std::nullopt;
  if (state_ == State::kOpen) {
    state_ = State::kHalfOpen;
    ++era_;
  }
  return Permit{era_};
}

void CircuitBreaker::Report(Permit permit, bool success) {
  absl::MutexLock lock(&mutex_);
  if (permit.era != era_) return;
  if (state_ == State::kHalfOpen) {
    success ? Close() : Open();
    return;
  }
  Count(success);
  if (FailsTooMuch()) Open();
}

CircuitBreaker::State CircuitBreaker::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void CircuitBreaker::Open() {
  state_ = State::kOpen;
  ++era_;
  open_until_ = clock_.Monotonic() + next_wait_ * (0.5 + random_.Fraction());
  next_wait_ = std::min(next_wait_ * 2, options_.wait_max);
}

void CircuitBreaker::Close() {
  state_ = State::kClosed;
  ++era_;
  failures_in_row_ = 0;
  failed_.reset();
  calls_ = 0;
  next_wait_ = options_.wait;
}

void CircuitBreaker::Count(bool success) {
  failures_in_row_ = success ? 0 : failures_in_row_ + 1;
  failed_.set(calls_ % kWindowCalls, !success);
  ++calls_;
}

bool CircuitBreaker::FailsTooMuch() const {
  if (failures_in_row_ >= options_.failures_max) return true;
  return calls_ >= kWindowCalls &&
         failed_.count() * 100 >= kWindowCalls * static_cast<std::size_t>(options_.failure_percent);
}

absl::string_view BreakerStateName(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::kClosed:
      return "closed";
    case CircuitBreaker::State::kHalfOpen:
      return "half_open";
    case CircuitBreaker::State::kOpen:
      break;
  }
  return "open";
}

}  // namespace bdcsync::conflict
