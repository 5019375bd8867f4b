// The streams of calls to one peer (call_streams.h): those that are free, by method. A stream
// carries one call after the other and never two at once. A peer that gives no sign of life on a
// stream while a call waits hangs: the call is UNAVAILABLE, and so are others at once until the
// peer says hello again (hello.h). For .cc files of libs/rpc only. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/timed_cond_var.h"
#include "libs/rpc/framed_socket.h"
#include "libs/rpc/open_calls.h"
#include "libs/rpc/stream_address.h"

namespace bdcsync::rpc {

class CallStream;
class Hello;
class StreamedCall;

// UNAVAILABLE.
absl::Status HangsError();

class StreamPool final : public std::enable_shared_from_this<StreamPool> {
 public:
  explicit StreamPool(StreamAddress address);

  // A free stream for calls of `method`, else a new one; null when the pool is closed.
  std::shared_ptr<CallStream> Take(const std::string& method);
  // Gives out no more streams and ends those that are free.
  void Close();
  // Whether the peer hangs: it is not to be called then.
  bool hung() const { return hung_.load(std::memory_order_relaxed); }
  // Waits until all streams have ended, at most for `timeout`.
  void AwaitEnd(absl::Duration timeout);

  // Calls that have begun and not ended.
  OpenCalls& calls() const { return *calls_; }
  absl::Duration age_max() const { return address_.reuse.age_max; }

 private:
  friend class CallStream;

  std::shared_ptr<FramedSocket> Connect(std::shared_ptr<FrameReceiver> receiver);
  // Takes back a stream whose call was answered. False: it must end.
  bool Keep(std::shared_ptr<CallStream> stream);
  // `stream` has ended.
  void Forget(const CallStream& stream);
  // The peer gives no sign of life; it does again, or nobody will call it any more.
  void OnHung();
  void OnHelloEnded();
  int RestAfterHang() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const StreamAddress address_;
  std::atomic<std::size_t> turn_{0};
  const std::shared_ptr<OpenCalls> calls_;  // Shared with its alarm.
  std::atomic<bool> hung_{false};
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;               // That have not ended.
  TimedCondVar ended_;                                    // There is none.
  std::shared_ptr<Hello> hello_ ABSL_GUARDED_BY(mutex_);  // Not null while the peer hangs.
  int rest_ ABSL_GUARDED_BY(mutex_) = 0;                  // Pulses that the last hello had to wait.
  absl::Duration back_at_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  // The one that was used last is used first.
  std::map<std::string, std::vector<std::shared_ptr<CallStream>>> free_ ABSL_GUARDED_BY(mutex_);
};

// One stream: a connection of its own.
class CallStream final : public FrameReceiver, public std::enable_shared_from_this<CallStream> {
 public:
  CallStream(std::shared_ptr<StreamPool> pool, const std::string& method);

  // By whoever took it, once. False: it has ended before.
  bool Send(std::shared_ptr<StreamedCall> call, Frame& frame);
  // `call`, if this still carries it, was given up: the stream ends, so that its answer is nobody
  // else's.
  void Abandon(const StreamedCall& call);
  // Ends a stream that carries no call and that nobody else has.
  void Retire();

  const std::string& method() const { return method_; }
  absl::Duration retires() const { return retires_; }

  void OnFrame(FrameKind kind, absl::string_view payload) override;
  void OnTooLarge(FrameKind kind) override;
  void OnPulse(bool greeted, bool stirred) override;
  void OnEnd(const absl::Status& status) override;

 private:
  // The call that was answered; the stream is free for the next one then. Null: it was given up.
  std::shared_ptr<StreamedCall> TakeAnswered();

  const std::shared_ptr<StreamPool> pool_;
  const std::string method_;
  const absl::Duration retires_;  // Not used again then.
  absl::Mutex mutex_;
  std::shared_ptr<FramedSocket> socket_ ABSL_GUARDED_BY(mutex_);  // Null before the first call.
  std::shared_ptr<StreamedCall> call_ ABSL_GUARDED_BY(mutex_);    // Null when it is free.
  bool reused_ ABSL_GUARDED_BY(mutex_) = false;                   // The call is not the first.
  bool unsent_ ABSL_GUARDED_BY(mutex_) = false;  // The peer said that it does not take the call.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;   // Or is about to.
  // The peer answers when it is asked for a sign of life; older ones do not.
  bool reassures_ ABSL_GUARDED_BY(mutex_) = false;
  int quiet_ ABSL_GUARDED_BY(mutex_) = 0;  // Pulses without one while a call waits.
};

}  // namespace bdcsync::rpc
