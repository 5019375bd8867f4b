// The services of one server for callers in the same process: a unary method is called as a
// function, on messages as they are. What gRPC promises holds: a call is answered exactly once, by
// its deadline, never on the stack of the caller, and is counted, timed and logged like any other.
// An answer runs on the thread that gave it. Includes grpcpp: for client.h and .cc files.
// Thread-safe, but for AddService.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/direct_context.h"
#include "libs/rpc/ongoing_call.h"
#include "libs/rpc/open_calls.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace bdcsync::rpc {

class CallMetrics;
class DirectCall;
class MethodMetrics;

class DirectServer final {
 public:
  // `metrics` is borrowed until Close.
  explicit DirectServer(CallMetrics& metrics);
  ~DirectServer();

  // Before the first call. Borrowed until the last one has ended.
  void AddService(grpc::Service* service) { services_.push_back(service); }
  // The service whose generated base is `CallbackService`; null when there is none.
  template <typename CallbackService>
  CallbackService* Find() const {
    for (grpc::Service* service : services_) {
      if (auto* const found = dynamic_cast<CallbackService*>(service)) return found;
    }
    return nullptr;
  }

  // Those that are not finished.
  const OpenCalls& calls() const { return *calls_; }
  // Answers what is in flight, and all that comes later, with UNAVAILABLE. Answers of services that
  // come later are dropped.
  void Close();

 private:
  friend class DirectCall;

  CallMetrics& metrics_;
  std::vector<grpc::Service*> services_;
  const std::shared_ptr<OpenCalls> calls_;  // Shared with its alarm.
};

// One call; client.h adds its messages. It lives until its handler has returned and finished, and
// its answer was handled.
class DirectCall : public OngoingCall,
                   public OpenCalls::Call,
                   private grpc::ServerCallbackUnary,
                   public std::enable_shared_from_this<DirectCall> {
 public:
  // A larger request is handled on a thread of gRPC's: it takes long, so that it would hold up the
  // caller and the hand-over does not count. So is what may take long by the caller's word, and
  // what is called by the handler of an answer, which must be over soon for the service that gave
  // it.
  static constexpr std::size_t kInlineBytesMax = 64 << 10;

  void Start();
  // Handles it on this thread, which is one of gRPC's.
  void StartHere();
  void TryCancel() override;

 protected:
  // `trace` is sent along; the answer is handled within `caller`.
  DirectCall(std::shared_ptr<DirectServer> server, const char* method, CallTrace trace,
             CallTrace caller, bool may_take_long);
  ~DirectCall() override;

  // Calls the method of the service.
  virtual grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext& context) = 0;
  // Runs once.
  virtual void Answer(absl::Status status) = 0;
  virtual std::size_t RequestBytes() const = 0;

 private:
  friend class DirectServer;

  bool Begin();
  void Run();
  void Expire() override;
  // Whichever is last of the handler's return, its end and the answer's lets go of the call.
  void PartEnded();
  bool TakeAnswer() { return !answered_.exchange(true, std::memory_order_acq_rel); }
  void Deliver(const absl::Status& status);
  void DeliverElsewhere(absl::Status status);

  void Finish(grpc::Status status) override;
  void SendInitialMetadata() override {}
  grpc::internal::ServerReactor* reactor() override { return nullptr; }
  void CallOnDone() override {}

  const std::shared_ptr<DirectServer> server_;
  MethodMetrics* method_ = nullptr;  // Null when it never began.
  const absl::Duration started_;
  DirectContext context_;
  CallTrace caller_;
  const bool may_take_long_;
  std::atomic<bool> answered_{false};
  std::atomic<int> parts_{3};
};

}  // namespace bdcsync::rpc
