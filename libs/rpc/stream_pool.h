// The streams of calls to one peer (call_streams.h): those that are free, by method, and one
// reactor for each. A stream carries one call after the other and never two at once. Includes
// grpcpp: for .cc files of libs/rpc only. Thread-safe.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/rpc/open_calls.h"

namespace bdcsync::rpc {

class CallStream;
class StreamedCall;

class StreamPool final : public std::enable_shared_from_this<StreamPool> {
 public:
  explicit StreamPool(std::shared_ptr<grpc::Channel> channel);
  ~StreamPool();

  // A free stream for calls of `method`, else a new one; null when the pool is closed.
  std::shared_ptr<CallStream> Take(const std::string& method);
  // Gives out no more streams and ends those that are free.
  void Close();
  // Waits until all streams have ended, at most for `timeout`.
  void AwaitEnd(absl::Duration timeout);

  // Calls that have begun and not ended.
  OpenCalls& calls() const { return *calls_; }

 private:
  friend class CallStream;

  // Takes back a stream whose call was answered. False: it must end.
  bool Keep(std::shared_ptr<CallStream> stream);
  void Ended();

  grpc::GenericStub stub_;
  const std::shared_ptr<OpenCalls> calls_;  // Shared with its alarm.
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;  // That have not ended.
  // The one that was used last is used first.
  std::map<std::string, std::vector<std::shared_ptr<CallStream>>> free_ ABSL_GUARDED_BY(mutex_);
};

// A call is a write, then a read; nothing is asked of gRPC between calls. A read that is asked for
// right after an answer would make it send a window update at once, and wake the peer for it; one
// after the next write goes with that. So how a free stream has ended is seen by the next call on
// it, which then goes on another (StreamedCall::OnEnded). It holds itself until gRPC is done with
// it.
class CallStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<CallStream> {
 public:
  CallStream(std::shared_ptr<StreamPool> pool, const std::string& method);

  // By whoever took it, once.
  void Send(std::shared_ptr<StreamedCall> call, grpc::ByteBuffer&& frame);
  // `call`, if this still carries it, was given up: the stream ends, so that its answer is nobody
  // else's.
  void Abandon(const StreamedCall& call);
  // Ends a stream that carries no call and that nobody else has.
  void Retire();

  const std::string& method() const { return method_; }
  absl::Duration retires() const { return retires_; }

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  const std::shared_ptr<StreamPool> pool_;
  const std::string method_;
  const absl::Duration retires_;  // Not used again then.
  std::shared_ptr<CallStream> self_;
  grpc::ClientContext context_;
  // Of whoever has taken it, then of the reactions.
  bool reused_ = false;
  bool unsent_ = false;  // The stream had ended before the call could be sent.
  grpc::ByteBuffer out_;
  grpc::ByteBuffer in_;
  absl::Mutex mutex_;
  std::shared_ptr<StreamedCall> call_ ABSL_GUARDED_BY(mutex_);  // Null when it is free.
  bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bdcsync::rpc
