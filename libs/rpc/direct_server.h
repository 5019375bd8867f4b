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

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "libs/base/call_trace.h"
#include "libs/rpc/direct_context.h"
#include "libs/rpc/ongoing_call.h"

namespace grpc {
class Alarm;
class Service;
}  // namespace grpc

namespace bdcsync::rpc {

class CallMetrics;
class DirectCall;
class MethodMetrics;

class DirectServer final : public std::enable_shared_from_this<DirectServer> {
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

  // Calls that are not finished.
  int in_flight() const;
  // Waits until there is none, or until `deadline`.
  void AwaitNone(absl::Time deadline) const;
  // Answers what is in flight, and all that comes later, with UNAVAILABLE. Answers of services that
  // come later are dropped.
  void Close();

 private:
  friend class DirectCall;
  // By the moment of its deadline; infinite once it was answered for being late.
  using Calls =
      absl::btree_map<std::pair<absl::Duration, DirectCall*>, std::shared_ptr<DirectCall>>;

  // False when it is closed.
  bool Begin(std::shared_ptr<DirectCall> call);
  // Returns what held the call, to be let go of without a lock.
  std::shared_ptr<DirectCall> End(DirectCall& call);
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  void WakeAt(absl::Duration moment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Answers calls whose time is over.
  void Expire();

  CallMetrics& metrics_;
  std::vector<grpc::Service*> services_;
  std::atomic<bool> closed_{false};
  mutable absl::Mutex mutex_;
  Calls calls_ ABSL_GUARDED_BY(mutex_);
  // One alarm for all calls, set to the earliest deadline there was since it last rang.
  absl::Duration wakes_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  std::unique_ptr<grpc::Alarm> alarm_ ABSL_GUARDED_BY(mutex_);
};

// One call; client.h adds its messages. It lives until its handler has returned and finished, and
// its answer was handled.
class DirectCall : public OngoingCall,
                   private grpc::ServerCallbackUnary,
                   public std::enable_shared_from_this<DirectCall> {
 public:
  // A larger request is handled on a thread of gRPC's: it takes long, so that it would hold up the
  // caller and the hand-over does not count. So is what may take long by the caller's word, and
  // what is called by the handler of an answer, which must be over soon for the service that gave
  // it.
  static constexpr std::size_t kInlineBytesMax = 64 << 10;

  void Start();
  void TryCancel() override;

 protected:
  // `trace` is sent along; the answer is handled within `caller`.
  DirectCall(std::shared_ptr<DirectServer> server, const char* method, CallTrace trace,
             CallTrace caller, bool may_take_long);
  virtual ~DirectCall();

  // Calls the method of the service.
  virtual grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext& context) = 0;
  // Runs once.
  virtual void Answer(absl::Status status) = 0;
  virtual std::size_t RequestBytes() const = 0;

 private:
  friend class DirectServer;

  void Run();
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
  absl::Duration expires_;  // Its key; under the server's mutex once it has begun.
  DirectContext context_;
  CallTrace caller_;
  const bool may_take_long_;
  std::atomic<bool> answered_{false};
  std::atomic<int> parts_{3};
};

}  // namespace bdcsync::rpc
