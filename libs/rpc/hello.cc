#include "libs/rpc/hello.h"

#include <utility>

namespace bdcsync::rpc {

Hello::Hello(int rest, Connect connect, std::function<void()> ended)
    : connect_(std::move(connect)), ended_(std::move(ended)), rest_(rest) {}

void Hello::Begin() {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) socket_ = connect_(shared_from_this());
    if (socket_ != nullptr) return;
  }
  ended_();
}

void Hello::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  if (socket_ != nullptr) socket_->Close();
}

void Hello::OnPulse(bool greeted, bool stirred) {
  ++pulses_;
  if (rest_ > 0) --rest_;
  if (greeted && rest_ == 0) Close();
}

void Hello::OnEnd(const absl::Status& status) {
  // At once: nobody listens there. Later: it vanished, or its machine cannot be reached.
  const bool again = absl::IsUnavailable(status) && pulses_ > 0;
  pulses_ = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (again && !closed_) {
      socket_ = connect_(shared_from_this());
      return;
    }
  }
  ended_();
}

}  // namespace bdcsync::rpc
