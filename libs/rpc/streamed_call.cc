#include "libs/rpc/streamed_call.h"

#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/elsewhere.h"
#include "libs/rpc/stream_pool.h"

namespace bdcsync::rpc {

StreamedCall::StreamedCall(const CallStreams& streams, const std::string& method, CallTrace trace,
                           CallTrace caller)
    : OpenCalls::Call(trace.not_after),
      pool_(streams.pool_),
      method_(method),
      trace_(std::move(trace)),
      caller_(std::move(caller)) {}

StreamedCall::~StreamedCall() = default;

void StreamedCall::Start() {
  if (!pool_->calls().Add(shared_from_this())) {
    if (!TakeAnswer()) return;
    RunElsewhere([self = shared_from_this()] {
      const CallScope scope(self->caller_);
      self->Answer(absl::CancelledError("the caller is stopping"));
    });
    return;
  }
  Send();
  bool unwanted = false;
  {
    absl::MutexLock lock(&mutex_);
    started_ = true;
    unwanted = unwanted_;
  }
  if (unwanted) GiveUp();
}

void StreamedCall::Send() {
  if (pool_->hung()) {
    RunElsewhere([self = shared_from_this()] { self->EndWith(HangsError()); });
    return;
  }
  Frame frame = Encode(trace_);
  std::shared_ptr<CallStream> stream;
  do {
    stream = pool_->Take(method_);
    if (stream == nullptr) {  // Closed; a caller does not expect to be told on its own stack.
      RunElsewhere([self = shared_from_this()] {
        self->EndWith(absl::CancelledError("the caller is stopping"));
      });
      return;
    }
    absl::MutexLock lock(&mutex_);
    stream_ = stream;
  } while (!stream->Send(shared_from_this(), frame));
  if (answered()) stream->Abandon(*this);  // Meanwhile, when the stream did not carry it yet.
}

void StreamedCall::TryCancel() {
  {
    absl::MutexLock lock(&mutex_);
    unwanted_ = true;
    if (!started_) return;  // Start sees it.
  }
  GiveUp();
}

void StreamedCall::GiveUp() {
  if (!TakeAnswer()) return;
  RunElsewhere([self = shared_from_this()] {
    self->Leave();
    self->Deliver(absl::CancelledError("the call was given up"));
  });
}

void StreamedCall::Expire() {
  if (!TakeAnswer()) return;
  Leave();
  Deliver(MakeError(Reason::kDeadlineExceeded, "the deadline has passed"));
}

void StreamedCall::Leave() {
  std::shared_ptr<CallStream> stream;
  std::shared_ptr<OngoingCall> plain;
  {
    absl::MutexLock lock(&mutex_);
    stream = stream_;
    plain = plain_;
  }
  if (plain != nullptr) {
    plain->TryCancel();
  } else if (stream != nullptr) {
    stream->Abandon(*this);
  }
}

void StreamedCall::OnAnswer(absl::string_view answer) {
  if (!TakeAnswer()) return;
  Deliver(Parse(answer) ? absl::OkStatus()
                        : MakeError(Reason::kInternal, "the answer cannot be read"));
}

void StreamedCall::OnError(absl::Status status) {
  if (answered()) return;
  if (absl::IsUnimplemented(status)) {
    BecomePlain();  // Of an older version than this.
  } else {
    EndWith(std::move(status));
  }
}

void StreamedCall::SendAgain() {
  if (!answered()) Send();
}

void StreamedCall::BecomePlain() {
  std::shared_ptr<OngoingCall> plain = StartPlain(
      trace_,
      [self = shared_from_this()](absl::Status status) { self->EndWith(std::move(status)); });
  {
    absl::MutexLock lock(&mutex_);
    plain_ = plain;
  }
  if (answered()) plain->TryCancel();  // Given up meanwhile, unless this is its own answer.
}

void StreamedCall::EndWith(absl::Status status) {
  if (TakeAnswer()) Deliver(std::move(status));
}

void StreamedCall::Deliver(absl::Status status) {
  {
    const CallScope scope(caller_);
    Answer(std::move(status));
  }
  (void)pool_->calls().Remove(*this);  // The caller of this holds it.
}

}  // namespace bdcsync::rpc
