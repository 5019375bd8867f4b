#include "libs/rpc/stream_pool.h"

#include <cstddef>
#include <utility>

#include "libs/base/clock.h"
#include "libs/rpc/stream_frame.h"
#include "libs/rpc/streamed_call.h"

namespace bdcsync::rpc {
namespace {

// An older stream is not used again: a new one may go to another address behind the same name.
constexpr absl::Duration kStreamAgeMax = absl::Seconds(10);
// Of one method. Callers have few calls in flight; more streams than that come from a burst.
constexpr std::size_t kFreeStreamsMax = 16;

}  // namespace

StreamPool::StreamPool(std::shared_ptr<grpc::Channel> channel)
    : stub_(std::move(channel)), calls_(std::make_shared<OpenCalls>()) {}

StreamPool::~StreamPool() = default;

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

bool StreamPool::Keep(std::shared_ptr<CallStream> stream) {
  const absl::Duration now = SystemClock().Monotonic();
  if (stream->retires() <= now) return false;
  std::shared_ptr<CallStream> old;
  {
    absl::MutexLock lock(&mutex_);
    auto& free = free_[stream->method()];
    if (closed_ || free.size() >= kFreeStreamsMax) return false;
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
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    free.swap(free_);
  }
  for (const auto& [method, streams] : free) {
    for (const auto& stream : streams) stream->Retire();
  }
}

void StreamPool::AwaitEnd(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_ == 0; };
  mutex_.AwaitWithTimeout(absl::Condition(&ended), timeout);
}

void StreamPool::Ended() {
  absl::MutexLock lock(&mutex_);
  --streams_;
}

CallStream::CallStream(std::shared_ptr<StreamPool> pool, const std::string& method)
    : pool_(std::move(pool)),
      method_(method),
      retires_(SystemClock().Monotonic() + kStreamAgeMax) {}

void CallStream::Send(std::shared_ptr<StreamedCall> call, grpc::ByteBuffer&& frame) {
  {
    absl::MutexLock lock(&mutex_);
    call_ = std::move(call);
  }
  out_.Swap(&frame);
  reused_ = self_ != nullptr;
  if (reused_) {
    StartWrite(&out_);
    return;
  }
  self_ = shared_from_this();
  pool_->stub_.PrepareBidiStreamingCall(&context_, StreamPath(method_), {}, this);
  AddHold();  // Later writes begin outside of reactions.
  StartWrite(&out_);
  StartCall();
}

void CallStream::Abandon(const StreamedCall& call) {
  {
    absl::MutexLock lock(&mutex_);
    if (call_.get() != &call) return;
    abandoned_ = true;
  }
  context_.TryCancel();  // Ends the write or the read of the call, one of which there is.
}

void CallStream::Retire() {
  context_.TryCancel();
  RemoveHold();
}

void CallStream::OnWriteDone(bool ok) {
  if (ok) {
    StartRead(&in_);
  } else {
    unsent_ = reused_;
    RemoveHold();
  }
}

void CallStream::OnReadDone(bool ok) {
  if (!ok) {
    RemoveHold();
    return;
  }
  std::shared_ptr<StreamedCall> answered;
  bool abandoned = false;
  {
    absl::MutexLock lock(&mutex_);
    answered = std::move(call_);
    call_ = nullptr;
    abandoned = abandoned_;
  }
  grpc::ByteBuffer answer;
  answer.Swap(&in_);
  // First, because who is answered may call again.
  if (abandoned || !pool_->Keep(shared_from_this())) Retire();
  answered->OnAnswer(answer);
}

void CallStream::OnDone(const grpc::Status& status) {
  std::shared_ptr<StreamedCall> call;
  {
    absl::MutexLock lock(&mutex_);
    call = std::move(call_);
  }
  if (call != nullptr) call->OnEnded(status, unsent_);
  call = nullptr;  // Before the stream counts as ended.
  const std::shared_ptr<CallStream> self = std::move(self_);
  pool_->Ended();
}

}  // namespace bdcsync::rpc
