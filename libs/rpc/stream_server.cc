#include "libs/rpc/stream_server.h"

#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/status.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "libs/rpc/stream_frame.h"

namespace bdcsync::rpc {
namespace {

class Refused final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refused(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

grpc::Status Stopping() {
  return ToGrpc(MakeError(Reason::kUnavailable, "the service is stopping"));
}

}  // namespace

// One stream; deletes itself. The lock is held over Finish and StartRead, which only begin
// something and never call back on this stack: nothing may begin after Finish, and OnDone, by
// taking the lock too, comes after whoever called Finish has let go of the stream.
class ServedStream final : public grpc::ServerGenericBidiReactor {
 public:
  ServedStream(StreamServer& server, StreamedMethod& method) : server_(server), method_(method) {}

  void Begin() { StartRead(&in_); }
  void Stop() {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (!busy_ && !over_) End(Stopping());
  }

  void OnReadDone(bool ok) override {
    {
      absl::MutexLock lock(&mutex_);
      if (over_) return;  // The call that came is not handled: the end of the stream tells.
      if (!ok) {
        End(grpc::Status::OK);
        return;
      }
      busy_ = true;
    }
    std::optional<CallFrame> call = DecodeCall(in_);
    in_.Clear();
    if (!call.has_value()) {
      EndCall(ToGrpc(MakeError(Reason::kBadMessage, "not a call")));
      return;
    }
    method_.Call(*std::move(call), [this](absl::StatusOr<grpc::ByteBuffer> answer) {
      if (!answer.ok()) {
        EndCall(ToGrpc(answer.status()));
        return;
      }
      out_.Swap(&*answer);
      StartWrite(&out_);
    });
  }
  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    busy_ = false;
    if (!ok || stopping_) {
      End(Stopping());
    } else {
      StartRead(&in_);
    }
  }
  void OnDone() override {
    { absl::MutexLock lock(&mutex_); }
    server_.Forget(this);
    delete this;
  }

 private:
  // With the error of the call that is in flight.
  void EndCall(const grpc::Status& status) {
    absl::MutexLock lock(&mutex_);
    End(status);
  }
  void End(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    over_ = true;
    Finish(status);
  }

  StreamServer& server_;
  StreamedMethod& method_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  absl::Mutex mutex_;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // From a call's arrival until its answer is written.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // Finish was called.
};

void StreamServer::Add(std::unique_ptr<StreamedMethod> method) {
  const std::string path = StreamPath(method->name());
  methods_[path] = std::move(method);
}

void StreamServer::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  for (ServedStream* stream : streams_) stream->Stop();
}

grpc::ServerGenericBidiReactor* StreamServer::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  const auto method = methods_.find(context->method());
  if (method == methods_.end()) {
    return new Refused(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method"));
  }
  auto* const stream = new ServedStream(*this, *method->second);
  absl::MutexLock lock(&mutex_);
  streams_.insert(stream);
  if (stopping_) {
    stream->Stop();
  } else {
    stream->Begin();
  }
  return stream;
}

void StreamServer::Forget(ServedStream* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

}  // namespace bdcsync::rpc
