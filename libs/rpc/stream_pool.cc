#include "libs/rpc/stream_pool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/clock.h"
#include "libs/base/errors.h"
#include "libs/rpc/hello.h"
#include "libs/rpc/hung_peers.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/stream_frame.h"
#include "libs/rpc/streamed_call.h"

namespace bdcsync::rpc {
namespace {

// A peer that hangs again in this time after it was back flaps.
constexpr int kFlapPulses = 10 * kQuietPulsesMax;
constexpr int kRestPulsesMax = 4 * kQuietPulsesMax;

}  // namespace

absl::Status HangsError() {
  return MakeError(Reason::kUnavailable, "the service gives no sign of life");
}

StreamPool::StreamPool(StreamAddress address)
    : address_(std::move(address)), calls_(std::make_shared<OpenCalls>()) {}

std::shared_ptr<CallStream> StreamPool::Take(const std::string& method) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return nullptr;
  auto& free = free_[method];
  if (!free.empty()) {
    std::shared_ptr<CallStream> stream = std::move(free.back());
    free.pop_back();
    return stream;
  }
  ++streams_;
  return std::make_shared<CallStream>(shared_from_this(), method);
}

std::shared_ptr<FramedSocket> StreamPool::Connect(std::shared_ptr<FrameReceiver> receiver) {
  return FramedSocket::Connect(address_.loops->Next(), address_.host, address_.port, turn_++,
                               address_.limits, std::move(receiver));
}

bool StreamPool::Keep(std::shared_ptr<CallStream> stream) {
  const absl::Duration now = SystemClock().Monotonic();
  if (stream->retires() <= now) return false;
  std::shared_ptr<CallStream> old;
  {
    absl::MutexLock lock(&mutex_);
    auto& free = free_[stream->method()];
    if (closed_ || free.size() >= address_.reuse.free_max) return false;
    if (!free.empty() && free.front()->retires() <= now) {
      old = std::move(free.front());
      free.erase(free.begin());
    }
    free.push_back(std::move(stream));
  }
  if (old != nullptr) old->Retire();
  return true;
}

void StreamPool::Close() {
  std::map<std::string, std::vector<std::shared_ptr<CallStream>>> free;
  std::shared_ptr<Hello> hello;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    free.swap(free_);
    hello = hello_;
  }
  if (hello != nullptr) hello->Close();
  for (const auto& [method, streams] : free) {
    for (const auto& stream : streams) stream->Retire();
  }
}

void StreamPool::AwaitEnd(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_ == 0; };
  ended_.AwaitFor(mutex_, timeout, ended);
}

void StreamPool::Forget(const CallStream& stream) {
  std::shared_ptr<CallStream> held;  // Let go of without the lock.
  absl::MutexLock lock(&mutex_);
  if (--streams_ == 0) ended_.SignalAll();
  const auto free = free_.find(stream.method());
  if (free == free_.end()) return;
  const auto found = std::find_if(free->second.begin(), free->second.end(),
                                  [&stream](const auto& other) { return other.get() == &stream; });
  if (found == free->second.end()) return;
  held = std::move(*found);
  free->second.erase(found);
}

void StreamPool::OnHung() {
  std::map<std::string, std::vector<std::shared_ptr<CallStream>>> free;
  std::shared_ptr<Hello> hello;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || hello_ != nullptr) return;
    hung_.store(true, std::memory_order_relaxed);
    free.swap(free_);
    ++streams_;  // Waited for like one.
    const auto self = shared_from_this();
    hello = hello_ = std::make_shared<Hello>(
        RestAfterHang(), [self](auto receiver) { return self->Connect(std::move(receiver)); },
        [self] { self->OnHelloEnded(); });
  }
  for (const auto& [method, streams] : free) {
    for (const auto& stream : streams) stream->Retire();
  }
  if (address_.hung_peers != nullptr) {
    address_.hung_peers->OnHung(absl::StrCat(address_.host, ":", address_.port));
  }
  hello->Begin();
}

// A peer that hangs again soon after it was back, as on a machine that swaps, is left alone for a
// while, and for longer the next time: each return may cost its callers the time to notice.
int StreamPool::RestAfterHang() {
  const absl::Duration soon = kFlapPulses * address_.limits.pulse;
  const bool flaps = SystemClock().Monotonic() - back_at_ < soon;
  rest_ = flaps ? std::min(std::max(rest_ * 2, kQuietPulsesMax), kRestPulsesMax) : 0;
  return rest_;
}

void StreamPool::OnHelloEnded() {
  std::shared_ptr<Hello> held;  // Let go of without the lock.
  bool back = false;
  {
    absl::MutexLock lock(&mutex_);
    back = !closed_;
    held = std::move(hello_);
    hello_ = nullptr;
    back_at_ = SystemClock().Monotonic();
    hung_.store(false, std::memory_order_relaxed);
  }
  // After it is so, and before what is borrowed may go.
  if (address_.hung_peers != nullptr) {
    const std::string address = absl::StrCat(address_.host, ":", address_.port);
    back ? address_.hung_peers->OnBack(address) : address_.hung_peers->OnGivenUp();
  }
  absl::MutexLock lock(&mutex_);
  if (--streams_ == 0) ended_.SignalAll();
}

CallStream::CallStream(std::shared_ptr<StreamPool> pool, const std::string& method)
    : pool_(std::move(pool)),
      method_(method),
      retires_(SystemClock().Monotonic() + pool_->age_max()) {}

bool CallStream::Send(std::shared_ptr<StreamedCall> call, Frame& frame) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return false;
  call_ = std::move(call);
  reused_ = socket_ != nullptr;
  if (!reused_) {
    socket_ = pool_->Connect(shared_from_this());
    socket_->Send(EncodeOpen(method_));
    socket_->Send(EncodeOpen(method_));  // Asks whether it answers that, at no cost.
  }
  socket_->Send(std::move(frame));
  return true;
}

void CallStream::Abandon(const StreamedCall& call) {
  absl::MutexLock lock(&mutex_);
  if (call_.get() != &call) return;
  ended_ = true;
  socket_->Close();
}

void CallStream::Retire() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  socket_->Close();
}

std::shared_ptr<StreamedCall> CallStream::TakeAnswered() {
  std::shared_ptr<StreamedCall> answered;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return nullptr;
    answered = std::move(call_);
    call_ = nullptr;
  }
  // First, because who is answered may call again.
  if (answered == nullptr || !pool_->Keep(shared_from_this())) Retire();
  return answered;
}

void CallStream::OnFrame(FrameKind kind, absl::string_view payload) {
  if (kind == FrameKind::kAnswer) {
    if (const auto call = TakeAnswered()) call->OnAnswer(payload);
  } else if (kind == FrameKind::kError) {
    if (const auto call = TakeAnswered()) call->OnError(DecodeError(payload));
  } else if (kind == FrameKind::kAlive) {
    absl::MutexLock lock(&mutex_);
    reassures_ = true;
  } else {  // A goodbye: the peer takes no more calls.
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    unsent_ = true;
    socket_->Close();
  }
}

void CallStream::OnTooLarge(FrameKind kind) {
  const auto call = TakeAnswered();
  if (call == nullptr) return;
  call->OnError(absl::ResourceExhaustedError("the answer is larger than grpc.max_message_bytes"));
}

void CallStream::OnPulse(bool greeted, bool stirred) {
  std::shared_ptr<StreamedCall> call;
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    if (stirred || call_ == nullptr || (greeted && !reassures_)) {
      quiet_ = 0;
      return;
    }
    if (++quiet_ <= kQuietPulsesMax) {
      if (quiet_ == 1 && greeted) socket_->Send(EncodeOpen(method_));
      return;
    }
    ended_ = true;
    call = std::move(call_);
    call_ = nullptr;
    socket_->Close();
  }
  pool_->OnHung();  // First, because who is answered may call again.
  call->OnError(HangsError());
}

void CallStream::OnEnd(const absl::Status& status) {
  std::shared_ptr<StreamedCall> call;
  bool unsent = false;
  {
    absl::MutexLock lock(&mutex_);
    ended_ = true;
    call = std::move(call_);
    call_ = nullptr;
    unsent = unsent_ && reused_;
  }
  if (call != nullptr && unsent) {
    call->SendAgain();
  } else if (call != nullptr) {
    call->OnError(absl::IsCancelled(status)
                      ? MakeError(Reason::kUnavailable, "the service is stopping")
                      : status);
  }
  call = nullptr;  // Before the stream counts as ended.
  pool_->Forget(*this);
}

}  // namespace bdcsync::rpc
