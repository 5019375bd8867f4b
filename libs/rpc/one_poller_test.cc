#include "libs/rpc/one_poller.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using event_store::v1::EventStoreService;
using event_store::v1::GetStoreInfoRequest;
using event_store::v1::GetStoreInfoResponse;
using ::testing::SizeIs;

constexpr int kCalls = 200;
constexpr auto kGetStoreInfo = [](auto& end, auto... call) {
  return end.GetStoreInfo(std::move(call)...);
};

// Notes which threads work for gRPC.
class Threads {
 public:
  void NoteThisOne() {
    absl::MutexLock lock(&mutex_);
    ids_.insert(std::this_thread::get_id());
  }
  std::set<std::thread::id> ids() const {
    absl::MutexLock lock(&mutex_);
    return ids_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::set<std::thread::id> ids_ ABSL_GUARDED_BY(mutex_);
};

class NotingService final : public EventStoreService::CallbackService {
 public:
  explicit NotingService(Threads& threads) : threads_(threads) {}
  grpc::ServerUnaryReactor* GetStoreInfo(grpc::CallbackServerContext* context,
                                         const GetStoreInfoRequest*,
                                         GetStoreInfoResponse*) override {
    threads_.NoteThisOne();
    return FinishNow(context, absl::OkStatus());
  }

 private:
  Threads& threads_;
};

class OnePollerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.AddService(&service_);
    ASSERT_OK(server_.Start());
    ASSERT_OK_AND_ASSIGN(auto channel, Dial(absl::StrCat("127.0.0.1:", server_.port()), {}));
    client_ = std::make_unique<Client<EventStoreService>>(Peer{.channel = std::move(channel)});
  }
  // Many calls at once; returns when all are answered.
  void CallAll() {
    absl::BlockingCounter answers(kCalls);
    for (int i = 0; i < kCalls; ++i) {
      client_->Start(
          kGetStoreInfo, GetStoreInfoRequest(), {},
          Done<GetStoreInfoResponse>([&](const absl::StatusOr<GetStoreInfoResponse>& answer) {
            EXPECT_OK(answer);
            threads_.NoteThisOne();
            answers.DecrementCount();
          }));
    }
    answers.Wait();
  }

  Threads threads_;
  NotingService service_{threads_};
  metrics::Registry metrics_;
  Server server_{ServerOptions{}, metrics_};
  std::unique_ptr<Client<EventStoreService>> client_;
};

TEST_F(OnePollerTest, OneThreadDoesAllTheWork) {
  const OnePoller one_poller;
  if (!one_poller.active()) GTEST_SKIP() << "gRPC has more than two threads on this many cores";
  CallAll();
  EXPECT_THAT(threads_.ids(), SizeIs(1));
}

TEST_F(OnePollerTest, CallsGoOnAfterIt) {
  for (int i = 0; i < 3; ++i) {
    const OnePoller one_poller;
  }
  CallAll();
}

}  // namespace
}  // namespace bdcsync::rpc
