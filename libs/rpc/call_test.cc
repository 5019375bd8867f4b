// Both ends of a call: directly, in the process by gRPC, over TCP, and on a stream.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/base/clock.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/config.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/streamed_method.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using event_store::v1::EventStoreService;
using event_store::v1::GetStoreInfoRequest;
using event_store::v1::GetStoreInfoResponse;
using ::testing::HasSubstr;
using Handler = std::function<grpc::ServerUnaryReactor*(grpc::CallbackServerContext*)>;
namespace status = ::bdcsync::testing;

constexpr auto kGetStoreInfo = [](auto& end, auto... call) {
  return end.GetStoreInfo(std::move(call)...);
};

constexpr absl::Duration kLong = absl::Seconds(30);

class FakeService final : public EventStoreService::CallbackService {
 public:
  Handler handler = [](grpc::CallbackServerContext* context) {
    return FinishNow(context, absl::OkStatus());
  };

  grpc::ServerUnaryReactor* GetStoreInfo(grpc::CallbackServerContext* context,
                                         const GetStoreInfoRequest* request,
                                         GetStoreInfoResponse* response) override {
    return handler(context);
  }
};

// Lets the first call wait for the test; answers all others at once.
class HeldCall {
 public:
  Handler handler() {
    return [this](grpc::CallbackServerContext* context) {
      if (held_.exchange(true)) return FinishNow(context, absl::OkStatus());
      reactor_ = context->DefaultReactor();
      grpc::ServerUnaryReactor* const reactor = reactor_;
      arrived_.Notify();
      return reactor;
    };
  }
  void AwaitArrival() { arrived_.WaitForNotification(); }
  void Finish() { FinishWith(reactor_, absl::OkStatus()); }

 private:
  std::atomic<bool> held_{false};
  grpc::ServerUnaryReactor* reactor_ = nullptr;
  absl::Notification arrived_;
};

// Lets every call wait as long as this object is there; those that come later are answered at once.
class HeldCalls {
 public:
  HeldCalls() : state_(std::make_shared<State>()) {}
  ~HeldCalls() {
    absl::MutexLock lock(&state_->mutex);
    state_->over = true;
    for (grpc::ServerUnaryReactor* reactor : state_->reactors) FinishWith(reactor, {});
  }
  Handler handler() const {
    return [state = state_](grpc::CallbackServerContext* context) {
      absl::MutexLock lock(&state->mutex);
      if (state->over) return FinishNow(context, absl::OkStatus());
      state->reactors.push_back(context->DefaultReactor());
      return state->reactors.back();
    };
  }

 private:
  struct State {
    absl::Mutex mutex;
    bool over ABSL_GUARDED_BY(mutex) = false;
    std::vector<grpc::ServerUnaryReactor*> reactors ABSL_GUARDED_BY(mutex);
  };
  const std::shared_ptr<State> state_;  // Shared with the handler, for late calls.
};

enum class Way { kDirect, kInProcess, kTcp, kStream };

std::string NameOf(Way way) {
  static constexpr const char* kNames[] = {"Direct", "InProcess", "Tcp", "Stream"};
  return kNames[static_cast<int>(way)];
}

class CallTest : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    server_ = std::make_unique<Server>(ServerOptions{.loops = &loops_}, metrics_);
    server_->AddService(&service_);
    ServeOnStreams<EventStoreService>(*server_, &FakeService::GetStoreInfo);
    ASSERT_OK(server_->Start());
    server_->SetServing(true);
    Peer peer = server_->InProcess();
    if (GetParam() != Way::kDirect) peer.direct = nullptr;
    if (FromOutside()) {
      ASSERT_OK_AND_ASSIGN(
          peer, DialPeer(absl::StrCat("127.0.0.1:", server_->port()), {.loops = &loops_}));
      if (GetParam() == Way::kTcp) peer.streams = std::nullopt;
    }
    client_ = std::make_unique<Client<EventStoreService>>(peer);
    health_ = std::make_unique<grpc::GenericStub>(peer.channel);
  }

  absl::StatusOr<GetStoreInfoResponse> Call(CallOptions options = {.timeout = kLong}) {
    absl::StatusOr<GetStoreInfoResponse> answer;
    absl::Notification answered;
    StartCall(options, [&](absl::StatusOr<GetStoreInfoResponse> response) {
      answer = std::move(response);
      answered.Notify();
    });
    answered.WaitForNotification();
    return answer;
  }
  static bool FromOutside() { return GetParam() == Way::kTcp || GetParam() == Way::kStream; }
  void StartCall(CallOptions options, Done<GetStoreInfoResponse> done) {
    client_->Start(kGetStoreInfo, GetStoreInfoRequest(), options, std::move(done));
  }

  SocketLoops loops_;
  metrics::Registry metrics_;
  FakeService service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client<EventStoreService>> client_;
  std::unique_ptr<grpc::GenericStub> health_;
};

INSTANTIATE_TEST_SUITE_P(Ways, CallTest,
                         ::testing::Values(Way::kDirect, Way::kInProcess, Way::kTcp, Way::kStream),
                         [](const auto& info) { return NameOf(info.param); });

TEST_P(CallTest, ACallIsAnsweredOnce) {
  absl::Notification answered;
  StartCall({.timeout = kLong}, [&](absl::StatusOr<GetStoreInfoResponse> response) {
    EXPECT_OK(response);
    answered.Notify();  // A second time it would crash.
  });
  answered.WaitForNotification();
}

TEST_P(CallTest, ACallThatWaitsIsAnswered) {
  EXPECT_OK(rpc::Call(client_->stub(), &EventStoreService::Stub::GetStoreInfo,
                      GetStoreInfoRequest(), {.timeout = kLong}));
}

TEST_P(CallTest, ErrorsArriveWhole) {
  service_.handler = [](grpc::CallbackServerContext* context) {
    return FinishNow(context, MakeErrorAt(Reason::kOperationIdReused, "/op_id", "used before"));
  };
  const auto response = Call();
  EXPECT_THAT(response, status::HasReason(Reason::kOperationIdReused));
  EXPECT_EQ(PathOf(response.status()), "/op_id");
  EXPECT_EQ(response.status().message(), "used before");
}

// What a callee saw. A call over TCP orders its two sides by nothing that a sanitizer sees.
class TraceSeen {
 public:
  void Set(CallTrace trace) {
    absl::MutexLock lock(&mutex_);
    trace_ = std::move(trace);
    at_ = SystemClock().Monotonic();
  }
  // When it was seen.
  absl::Duration at() const {
    absl::MutexLock lock(&mutex_);
    return at_;
  }
  CallTrace Get() const {
    absl::MutexLock lock(&mutex_);
    return trace_;
  }

 private:
  mutable absl::Mutex mutex_;
  CallTrace trace_ ABSL_GUARDED_BY(mutex_);
  absl::Duration at_ ABSL_GUARDED_BY(mutex_);
};

TEST_P(CallTest, RequestIdAndDeadlineAreHandedOn) {
  TraceSeen seen;
  service_.handler = [&](grpc::CallbackServerContext* context) {
    seen.Set(TraceOf(*context));
    return FinishNow(context, absl::OkStatus());
  };
  const absl::Duration began = SystemClock().Monotonic();
  ASSERT_OK(Call({.timeout = absl::Seconds(20), .request_id = "r-17"}));
  EXPECT_EQ(seen.Get().request_id, "r-17");
  // The wire rounds up by at most 1 %, and carries what is left instead of a moment.
  EXPECT_LE(seen.Get().not_after, seen.at() + absl::Seconds(20.2));
  EXPECT_GT(seen.Get().not_after, began);
  ASSERT_OK(Call({.timeout = kLong, .request_id = std::string(kRequestIdBytesMax + 1, 'x')}));
  EXPECT_EQ(seen.Get().request_id.size(), kRequestIdBytesMax);
}

TEST_P(CallTest, CallsWithinAScopeCarryItsIdAndNeverALaterDeadline) {
  TraceSeen seen;
  service_.handler = [&](grpc::CallbackServerContext* context) {
    seen.Set(TraceOf(*context));
    return FinishNow(context, absl::OkStatus());
  };
  const absl::Duration began = SystemClock().Monotonic();
  const absl::Duration not_after = began + absl::Seconds(10);
  const CallScope scope({"scope-1", not_after});
  ASSERT_OK(Call({.timeout = absl::Hours(1)}));
  EXPECT_EQ(seen.Get().request_id, "scope-1");
  // As above: on a busy machine a moment passes on the way.
  EXPECT_LE(seen.Get().not_after, not_after + absl::Milliseconds(200) + (seen.at() - began));
  ASSERT_OK(Call({.timeout = absl::Seconds(5), .request_id = "own"}));
  EXPECT_EQ(seen.Get().request_id, "own");
  EXPECT_LT(seen.Get().not_after, seen.at() + absl::Seconds(5.1));
}

TEST(CallDeadlineTest, ACallWithinAScopeThatIsOverHasNoTimeLeft) {
  const SystemClock clock;
  const CallScope scope({"late", clock.Monotonic() - absl::Seconds(1)});
  grpc::ClientContext context;
  PrepareCall(context, {.timeout = absl::Hours(1)});
  EXPECT_LT(absl::FromChrono(context.deadline()), clock.Now() + absl::Seconds(1));
}

TEST_P(CallTest, AnAnswerIsHandledWithinTheScopeOfItsCall) {
  absl::Notification answered;
  std::string current;
  {
    const CallScope scope({"asked"});
    StartCall({.timeout = kLong}, [&](absl::StatusOr<GetStoreInfoResponse>) {
      current = CallScope::Current().request_id;
      answered.Notify();
    });
  }
  answered.WaitForNotification();
  EXPECT_EQ(current, "asked");
}

TEST_P(CallTest, ACallWithoutAnAnswerEndsAtItsDeadline) {
  // Its time may be over before it arrives, and then it may arrive after the test.
  const HeldCalls held;
  service_.handler = held.handler();
  EXPECT_THAT(Call({.timeout = absl::Milliseconds(50)}),
              status::HasReason(Reason::kDeadlineExceeded));
}

TEST_P(CallTest, BlockingWorkRunsOnThePoolAndIsRefusedWhenItIsFull) {
  constexpr int kCalls = 4;
  WorkerPool pool({.threads = 1, .queued_max = 1});
  absl::Notification release;
  service_.handler = [&](grpc::CallbackServerContext* context) {
    return HandleOnPool(context, pool, [&] {
      release.WaitForNotification();
      return absl::OkStatus();
    });
  };
  // One runs, at most one waits: at least two of four are refused before the first can end.
  std::atomic<int> ok{0};
  std::atomic<int> refused{0};
  absl::BlockingCounter answered(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    StartCall({.timeout = kLong}, [&](absl::StatusOr<GetStoreInfoResponse> response) {
      if (response.ok()) {
        ++ok;
      } else {
        EXPECT_THAT(response, status::HasReason(Reason::kUnavailable));
        if (++refused == 2) release.Notify();
      }
      answered.DecrementCount();
    });
  }
  answered.Wait();
  EXPECT_GE(ok, 1);
  EXPECT_EQ(ok + refused, kCalls);
}

TEST_P(CallTest, EveryCallIsCountedByMethodAndCode) {
  std::atomic<int> calls{0};
  service_.handler = [&calls](grpc::CallbackServerContext* context) {
    return FinishNow(context, ++calls < 3 ? absl::OkStatus() : MakeError(Reason::kNotFound, "x"));
  };
  ASSERT_OK(Call());
  ASSERT_OK(Call());
  EXPECT_FALSE(Call().ok());
  server_->Drain(absl::InfiniteFuture());
  const std::string text = metrics_.Render();
  const std::string method = "method=\"/bdcsync.event_store.v1.EventStoreService/GetStoreInfo\"}";
  EXPECT_THAT(text, HasSubstr("bdcsync_grpc_requests_total{code=\"OK\"," + method + " 2\n"));
  EXPECT_THAT(text, HasSubstr("bdcsync_grpc_requests_total{code=\"NOT_FOUND\"," + method + " 1\n"));
  EXPECT_THAT(text, HasSubstr("bdcsync_grpc_request_seconds_count{" + method + " 3\n"));
}

TEST_P(CallTest, DrainRefusesNewCallsAndAnswersThoseInFlight) {
  HeldCall held;
  service_.handler = held.handler();
  absl::Notification answered;
  StartCall({.timeout = kLong}, [&](absl::StatusOr<GetStoreInfoResponse> response) {
    EXPECT_OK(response);
    answered.Notify();
  });
  held.AwaitArrival();
  std::thread drain([&] { server_->Drain(absl::InfiniteFuture()); });
  if (FromOutside()) {
    while (Call().ok()) std::this_thread::yield();  // Until the drain has begun.
    EXPECT_THAT(Call(), status::HasReason(Reason::kUnavailable));
  }
  EXPECT_FALSE(answered.HasBeenNotified());
  held.Finish();
  drain.join();
  answered.WaitForNotification();
}

TEST_P(CallTest, DrainCancelsWhatIsLeftAtItsDeadline) {
  if (!FromOutside()) return;  // Other calls are ended by their callers only.
  HeldCall held;
  service_.handler = held.handler();
  absl::Notification answered;
  StartCall({.timeout = kLong}, [&](absl::StatusOr<GetStoreInfoResponse> response) {
    EXPECT_FALSE(response.ok());
    answered.Notify();
  });
  held.AwaitArrival();
  std::thread drain([&] { server_->Drain(absl::InfinitePast()); });
  answered.WaitForNotification();
  held.Finish();
  drain.join();
}

TEST_P(CallTest, CallsWithinTheProcessWorkUntilTheServerIsGone) {
  if (FromOutside()) return;
  server_->Drain(absl::InfinitePast());
  EXPECT_OK(Call());
}

// The status in the answer of grpc.health.v1, whose messages have one field each.
TEST_P(CallTest, HealthFollowsServing) {
  const auto check = [&](const std::string& service = "") {
    grpc::ClientContext context;
    PrepareCall(context, {.timeout = kLong});
    std::string named;
    if (!service.empty()) named = absl::StrCat("\x0a", std::string(1, service.size()), service);
    const grpc::Slice slice_asked(named);
    grpc::ByteBuffer request(&slice_asked, 1);
    grpc::ByteBuffer response;
    absl::Notification answered;
    health_->UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                       [&](const grpc::Status& status) {
                         EXPECT_TRUE(status.ok()) << status.error_message();
                         answered.Notify();
                       });
    answered.WaitForNotification();
    grpc::Slice slice;
    EXPECT_TRUE(response.DumpToSingleSlice(&slice).ok());
    return std::string(slice.begin(), slice.end());
  };
  const std::string serving = "\x08\x01";
  const std::string not_serving = "\x08\x02";
  const std::string service = "bdcsync.event_store.v1.EventStoreService";
  EXPECT_EQ(check(), serving);
  EXPECT_EQ(check(service), serving);
  server_->SetServing(false);
  EXPECT_EQ(check(), not_serving);
  EXPECT_EQ(check(service), not_serving);
  server_->SetServing(true);
  EXPECT_EQ(check(), serving);
}

}  // namespace
}  // namespace bdcsync::rpc
