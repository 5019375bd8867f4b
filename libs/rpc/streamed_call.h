// One call on a stream (call_streams.h); client.h adds its messages. It is answered once: by its
// answer, its deadline, whoever gives it up, or the end of its stream. Where the peer knows no
// streams it becomes a plain call of gRPC's. For client.h and .cc files. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/call_streams.h"
#include "libs/rpc/framed_socket.h"
#include "libs/rpc/ongoing_call.h"
#include "libs/rpc/open_calls.h"

namespace bdcsync::rpc {

class CallStream;
class StreamPool;

class StreamedCall : public OngoingCall,
                     public OpenCalls::Call,
                     public std::enable_shared_from_this<StreamedCall> {
 public:
  void Start();
  void TryCancel() override;

  // By its stream: the answer; why there is none; the stream ended before the peer took the call.
  void OnAnswer(absl::string_view answer);
  void OnError(absl::Status status);
  void SendAgain();

 protected:
  // `method` stays what it is; `trace` is sent along; the answer is handled within `caller`.
  StreamedCall(const CallStreams& streams, const std::string& method, CallTrace trace,
               CallTrace caller);
  virtual ~StreamedCall();

  virtual Frame Encode(const CallTrace& trace) const = 0;
  // False when `answer` is none.
  virtual bool Parse(absl::string_view answer) = 0;
  // Makes a plain call of it; `ended` runs when its response is there.
  virtual std::shared_ptr<OngoingCall> StartPlain(const CallTrace& trace,
                                                  std::function<void(absl::Status)> ended) = 0;
  // Runs once, with the response in its place when `status` is OK.
  virtual void Answer(absl::Status status) = 0;

 private:
  void Expire() override;
  void GiveUp();
  // Puts it on a stream.
  void Send();
  void BecomePlain();
  // Ends what is under way for it.
  void Leave();
  bool TakeAnswer() { return !answered_.exchange(true, std::memory_order_acq_rel); }
  bool answered() const { return answered_.load(std::memory_order_acquire); }
  void EndWith(absl::Status status);
  void Deliver(absl::Status status);

  const std::shared_ptr<StreamPool> pool_;
  const std::string& method_;
  const CallTrace trace_;
  CallTrace caller_;
  std::atomic<bool> answered_{false};
  absl::Mutex mutex_;
  std::shared_ptr<CallStream> stream_ ABSL_GUARDED_BY(mutex_);  // The last one it went on.
  std::shared_ptr<OngoingCall> plain_ ABSL_GUARDED_BY(mutex_);  // What became of it.
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool unwanted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync::rpc
