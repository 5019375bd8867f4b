#include "libs/rpc/hello.h"

#include <utility>

#include "libs/rpc/stream_frame.h"

namespace bdcsync::rpc {

Hello::Hello(int rest, Connect connect, std::function<void()> ended)
    : connect_(std::move(connect)), ended_(std::move(ended)), rest_(rest) {}

void Hello::Begin() {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) Dial();
    if (socket_ != nullptr) return;
  }
  ended_();
}

void Hello::Dial() {
  socket_ = connect_(shared_from_this());
  // Of no method: the second one is answered at once.
  for (int i = 0; i < 2; ++i) socket_->Send(EncodeOpen(""));
}

void Hello::Close() {
  absl::MutexLock lock(&mutex_);
  CloseNow();
}

void Hello::CloseNow() {
  closed_ = true;
  if (socket_ != nullptr) socket_->Close();
}

void Hello::OnFrame(FrameKind kind, absl::string_view payload) {
  absl::MutexLock lock(&mutex_);
  if (kind == FrameKind::kAlive) OnLife();
}

void Hello::OnPulse(bool greeted, bool stirred) {
  absl::MutexLock lock(&mutex_);
  ++pulses_;
  if (rest_ > 0) --rest_;
  if (greeted) OnLife();
}

void Hello::OnLife() {
  if (pulses_ == 0 || rest_ == 0) CloseNow();
}

void Hello::OnEnd(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    // At once: nobody listens there. Later: it vanished, or its machine cannot be reached.
    const bool again = absl::IsUnavailable(status) && pulses_ > 0;
    pulses_ = 0;
    if (again && !closed_) {
      Dial();
      return;
    }
  }
  ended_();
}

}  // namespace bdcsync::rpc
