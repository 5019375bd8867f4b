#include "libs/rpc/one_poller.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "libs/base/stop_signal.h"

namespace bdcsync::rpc {
namespace {

// gRPC starts one poller for two cores, but two at least.
constexpr unsigned kCoresWithTwoPollersMax = 5;
// Shorter than the second after which a poller without events sleeps.
constexpr absl::Duration kEventInterval = absl::Milliseconds(500);

struct Call {
  grpc::ClientContext context;
  grpc::Slice nothing;
  grpc::ByteBuffer request{&nothing, 1};
  grpc::ByteBuffer response;
};

}  // namespace

class OnePoller::Held {
 public:
  // Returns when a poller is held back.
  Held() {
    OnPoller([this] { Hold(); });
    begun_.WaitForNotification();
  }
  // Returns when no call is left.
  ~Held() {
    release_.Stop();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* calls) { return *calls == 0; }, &calls_));
  }

 private:
  // Runs `task` on a poller: as the callback of a call that fails at once.
  void OnPoller(std::function<void()> task) {
    {
      absl::MutexLock lock(&mutex_);
      ++calls_;
    }
    auto call = std::make_shared<Call>();  // Shared: what gRPC takes must be copyable.
    Call& borrowed = *call;
    stub_.UnaryCall(
        &borrowed.context, "/bdcsync.rpc.Nobody/Nothing", grpc::StubOptions(), &borrowed.request,
        &borrowed.response,
        [this, call = std::move(call), task = std::move(task)](const grpc::Status&) mutable {
          task();
          call.reset();  // Before the channel that it used.
          absl::MutexLock lock(&mutex_);
          --calls_;
        });
  }

  // The thread that runs this is the one held back. It gives the other something to see.
  void Hold() {
    begun_.Notify();
    while (!release_.WaitFor(kEventInterval)) OnPoller([] {});
  }

  // Without credentials a channel goes nowhere.
  grpc::GenericStub stub_{grpc::CreateChannel("", nullptr)};
  absl::Notification begun_;
  StopSignal release_;
  absl::Mutex mutex_;
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

OnePoller::OnePoller() {
  if (std::thread::hardware_concurrency() > kCoresWithTwoPollersMax) return;
  held_ = std::make_unique<Held>();
}

OnePoller::~OnePoller() = default;

}  // namespace bdcsync::rpc
