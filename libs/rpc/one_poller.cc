#include "libs/rpc/one_poller.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <functional>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

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

struct OnePoller::Held {
  // Runs `task` on a poller: as the callback of a call that fails at once.
  void OnPoller(std::function<void()> task) {
    auto call = std::make_shared<Call>();
    Call& borrowed = *call;
    stub.UnaryCall(
        &borrowed.context, "/bdcsync.rpc.Nobody/Nothing", grpc::StubOptions(), &borrowed.request,
        &borrowed.response,
        [call = std::move(call), task = std::move(task)](const grpc::Status&) { task(); });
  }

  // The thread that runs this is the one held back. It gives the other something to see.
  void Hold() {
    begun.Notify();
    while (!release.WaitForNotificationWithTimeout(kEventInterval)) OnPoller([] {});
    ended.Notify();
  }

  // Without credentials a channel goes nowhere.
  grpc::GenericStub stub{grpc::CreateChannel("", nullptr)};
  absl::Notification begun;
  absl::Notification release;
  absl::Notification ended;
};

OnePoller::OnePoller() {
  if (std::thread::hardware_concurrency() > kCoresWithTwoPollersMax) return;
  held_ = std::make_unique<Held>();
  held_->OnPoller([held = held_.get()] { held->Hold(); });
  held_->begun.WaitForNotification();
}

OnePoller::~OnePoller() {
  if (held_ == nullptr) return;
  held_->release.Notify();
  held_->ended.WaitForNotification();
}

}  // namespace bdcsync::rpc
