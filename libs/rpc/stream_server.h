// The server's end of calls on streams (call_streams.h): what comes on a stream is handled as a
// direct call of the service, and counted, timed and logged as one. Includes grpcpp: for .cc files
// of libs/rpc and streamed_method.h. Add before the server starts; the rest is thread-safe.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "libs/rpc/stream_frame.h"

namespace bdcsync::rpc {

class ServedStream;

// How a method is called with a message in bytes.
class StreamedMethod {
 public:
  using Answered = absl::AnyInvocable<void(absl::StatusOr<grpc::ByteBuffer>)>;

  virtual ~StreamedMethod() = default;
  // "/package.Service/Method".
  virtual const std::string& name() const = 0;
  // On a thread of gRPC's; `answered` runs exactly once, on any thread but not on this stack.
  virtual void Call(CallFrame call, Answered answered) = 0;
};

class StreamServer final : public grpc::CallbackGenericService {
 public:
  void Add(std::unique_ptr<StreamedMethod> method);
  // Ends streams on which nothing is in flight now, and the others after their answer. Those that
  // come later are UNAVAILABLE.
  void Stop();

 private:
  friend class ServedStream;
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
  void Forget(ServedStream* stream);

  std::map<std::string, std::unique_ptr<StreamedMethod>> methods_;  // By the path of their streams.
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<ServedStream*> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bdcsync::rpc
