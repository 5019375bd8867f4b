// Calls without a channel: which thread they run on, and what holds when caller and service do not
// wait for each other. What all calls have in common is in call_test.cc.
#include <gmock/gmock.h>
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
#include "libs/base/ids.h"
#include "libs/rpc/calls_for_test.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/unary.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using testing::HasReason;
using testing::StatusIs;
using Answer = absl::StatusOr<ReadHeadsResponse>;

constexpr absl::Duration kLong = absl::Seconds(30);

class DirectCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = std::make_unique<Server>(ServerOptions{}, metrics_);
    server_->AddService(&service_);
    ASSERT_OK(server_->Start());
    client_ = std::make_unique<Client<EventStoreService>>(server_->InProcess());
  }

  void Start(ReadHeadsRequest request, Done<ReadHeadsResponse> done, absl::Duration timeout = kLong,
             CallTracker* tracker = nullptr) {
    client_->Start(kReadHeads, std::move(request), {.timeout = timeout}, std::move(done), tracker);
  }
  Answer Call(ReadHeadsRequest request = {}, absl::Duration timeout = kLong) {
    Answer answer;
    absl::Notification answered;
    Start(
        std::move(request),
        [&](Answer got) {
          answer = std::move(got);
          answered.Notify();
        },
        timeout);
    answered.WaitForNotification();
    return answer;
  }
  static ReadHeadsRequest AskFor(int heads) {
    ReadHeadsRequest request;
    for (int i = 0; i < heads; ++i) request.add_streams();
    return request;
  }
  static ReadHeadsRequest RequestOf(size_t bytes) {
    ReadHeadsRequest request;
    request.add_streams()->set_name(std::string(bytes, 'x'));
    const size_t more = request.ByteSizeLong() - bytes;
    request.mutable_streams(0)->set_name(std::string(bytes - more, 'x'));
    return request;
  }

  metrics::Registry metrics_;
  FakeService service_;
  Shelf shelf_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client<EventStoreService>> client_;
};

TEST_F(DirectCallTest, ASmallRequestIsHandledByItsCallerAndAlargeOneIsNot) {
  std::atomic<std::thread::id> handled_on;
  service_.handler = [&](grpc::CallbackServerContext* context, auto...) {
    handled_on = std::this_thread::get_id();
    return FinishNow(context, absl::OkStatus());
  };
  EXPECT_OK(Call(RequestOf(DirectCall::kInlineBytesMax)));
  EXPECT_EQ(handled_on.load(), std::this_thread::get_id());
  EXPECT_OK(Call(RequestOf(DirectCall::kInlineBytesMax + 1)));
  EXPECT_NE(handled_on.load(), std::this_thread::get_id());
}

TEST_F(DirectCallTest, WhatMayTakeLongIsNotHandledByItsCaller) {
  std::atomic<std::thread::id> handled_on;
  service_.handler = [&](grpc::CallbackServerContext* context, auto...) {
    handled_on = std::this_thread::get_id();
    return FinishNow(context, absl::OkStatus());
  };
  absl::Notification answered;
  client_->Start(kReadHeads, ReadHeadsRequest(), {.timeout = kLong, .may_take_long = true},
                 Done<ReadHeadsResponse>([&](const Answer&) { answered.Notify(); }));
  answered.WaitForNotification();
  EXPECT_NE(handled_on.load(), std::this_thread::get_id());
}

TEST_F(DirectCallTest, TheHandlerOfAnAnswerLeavesItsCallsToAnotherThread) {
  service_.handler = shelf_.handler();
  absl::Notification handled;
  std::atomic<std::thread::id> handled_on;
  Start({}, [&](const Answer&) {
    service_.handler = [&](grpc::CallbackServerContext* context, auto...) {
      handled_on = std::this_thread::get_id();
      handled.Notify();
      return FinishNow(context, absl::OkStatus());
    };
    Start({}, [](const Answer&) {});
  });
  shelf_.AnswerAll();
  handled.WaitForNotification();
  EXPECT_NE(handled_on.load(), std::this_thread::get_id());
  server_->AwaitIdle(SystemClock().Now() + kLong);
}

TEST_F(DirectCallTest, TheServiceSeesTheCallersMessageItself) {
  const auto request = std::make_shared<const ReadHeadsRequest>(AskFor(2));
  const ReadHeadsRequest* seen = nullptr;
  service_.handler = [&](grpc::CallbackServerContext* context, const ReadHeadsRequest* got,
                         auto...) {
    seen = got;
    return FinishNow(context, absl::OkStatus());
  };
  absl::Notification answered;
  client_->Start(kReadHeads, request, {.timeout = kLong},
                 Done<ReadHeadsResponse>([&](const Answer&) { answered.Notify(); }));
  answered.WaitForNotification();
  EXPECT_EQ(seen, request.get());
}

TEST_F(DirectCallTest, AnAnswerAtOnceIsNotGivenOnTheStackOfTheCaller) {
  absl::Mutex held_by_caller;
  absl::Notification answered;
  std::thread::id answered_on;
  {
    absl::MutexLock lock(&held_by_caller);
    Start({}, [&](const Answer& answer) {
      EXPECT_OK(answer);
      { const absl::MutexLock deadlock(&held_by_caller); }
      answered_on = std::this_thread::get_id();
      answered.Notify();  // Last: the test ends, and its mutex with it.
    });
  }
  answered.WaitForNotification();
  EXPECT_NE(answered_on, std::this_thread::get_id());
}

// A service that calls another, and answers somebody else meanwhile.
TEST_F(DirectCallTest, NoCallIsAnsweredOnAStackThatIsWithinAnother) {
  service_.handler = shelf_.handler();
  absl::Notification first;
  std::atomic<std::thread::id> first_on;
  Start({}, [&](const Answer&) {
    first_on = std::this_thread::get_id();
    first.Notify();
  });
  service_.handler = [&](grpc::CallbackServerContext* context, auto...) {
    shelf_.AnswerAll();
    return FinishNow(context, absl::OkStatus());
  };
  EXPECT_OK(Call());
  first.WaitForNotification();
  EXPECT_NE(first_on.load(), std::this_thread::get_id());
}

TEST_F(DirectCallTest, ALaterAnswerIsHandledByTheThreadThatGivesIt) {
  service_.handler = shelf_.handler();
  std::thread::id answered_on;
  Start(AskFor(3), [&](const Answer& answer) {
    answered_on = std::this_thread::get_id();
    ASSERT_OK(answer);
    EXPECT_EQ(answer->heads_size(), 3);
  });
  shelf_.AnswerAll();
  EXPECT_EQ(answered_on, std::this_thread::get_id());
}

TEST_F(DirectCallTest, AChainOfAnswersThatCallAgainDoesNotGrowTheStack) {
  constexpr int kCalls = 20000;
  absl::Notification over;
  std::atomic<int> left{kCalls};
  std::function<void()> next = [&] {
    Start({}, [&](const Answer&) {
      if (--left == 0) {
        over.Notify();
      } else {
        next();
      }
    });
  };
  next();
  over.WaitForNotification();
}

TEST_F(DirectCallTest, TheScopeOfTheCallerIsNotThatOfTheService) {
  std::string seen = "unset";
  std::string sent;
  service_.handler = [&](grpc::CallbackServerContext* context, auto...) {
    seen = CallScope::Current().request_id;
    sent = RequestIdOf(*context);
    return FinishNow(context, absl::OkStatus());
  };
  const CallScope scope({"asked"});
  EXPECT_OK(Call());
  EXPECT_EQ(seen, "");
  EXPECT_EQ(sent, "asked");
}

TEST_F(DirectCallTest, AServiceMayGoOnWithACallThatIsOver) {
  service_.handler = shelf_.handler();
  auto request = std::make_shared<const ReadHeadsRequest>(AskFor(1));
  const std::weak_ptr<const ReadHeadsRequest> held = request;
  absl::Notification answered;
  client_->Start(kReadHeads, std::move(request), {.timeout = absl::Milliseconds(1)},
                 Done<ReadHeadsResponse>([&](const Answer& answer) {
                   EXPECT_THAT(answer, HasReason(Reason::kDeadlineExceeded));
                   answered.Notify();
                 }));
  answered.WaitForNotification();
  EXPECT_FALSE(held.expired());
  shelf_.AnswerAll();  // Answered a second time, it would crash.
  server_->AwaitIdle(SystemClock().Now() + kLong);
  // The thread that told the answer lets go of the call last.
  const absl::Time end = SystemClock().Now() + kLong;
  while (!held.expired() && SystemClock().Now() < end) std::this_thread::yield();
  EXPECT_TRUE(held.expired());
}

TEST_F(DirectCallTest, EachCallEndsAtItsOwnDeadline) {
  service_.handler = shelf_.handler();
  const SystemClock clock;
  absl::BlockingCounter answered(3);
  std::atomic<int> early{0};
  const auto start = [&](absl::Duration timeout) {
    Start(
        {},
        [&, not_before = clock.Monotonic() + timeout](const Answer& answer) {
          EXPECT_THAT(answer, HasReason(Reason::kDeadlineExceeded));
          if (clock.Monotonic() < not_before) ++early;
          answered.DecrementCount();
        },
        timeout);
  };
  absl::Notification last;
  Start({}, [&](const Answer& answer) {
    EXPECT_OK(answer);
    last.Notify();
  });
  start(absl::Milliseconds(40));
  start(absl::Milliseconds(5));
  start(absl::Milliseconds(20));
  answered.Wait();
  EXPECT_EQ(early, 0);
  EXPECT_FALSE(last.HasBeenNotified());
  shelf_.AnswerAll();
  last.WaitForNotification();
}

TEST_F(DirectCallTest, ACancelledCallEndsAtOnceThoughItsServiceDoesNot) {
  service_.handler = shelf_.handler();
  Tracker tracker;
  absl::Notification answered;
  Start(
      {},
      [&](const Answer& answer) {
        EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
        answered.Notify();
      },
      kLong, &tracker);
  tracker.CancelAll();
  answered.WaitForNotification();
  tracker.AwaitNone();
  EXPECT_EQ(shelf_.size(), 1u);
  shelf_.AnswerAll();
  server_->AwaitIdle(SystemClock().Now() + kLong);
}

TEST_F(DirectCallTest, ACallThatMustNotBeginIsCancelledAndReachesNobody) {
  service_.handler = shelf_.handler();
  Tracker tracker;
  tracker.Refuse();
  bool refused = false;
  Start(
      {}, [&](const Answer& answer) { refused = absl::IsCancelled(answer.status()); }, kLong,
      &tracker);
  EXPECT_TRUE(refused);
  EXPECT_EQ(shelf_.size(), 0u);
}

TEST_F(DirectCallTest, AServerIsIdleWhenHandlerAndAnswerAreOver) {
  service_.handler = shelf_.handler();
  absl::Notification answering;
  absl::Notification go_on;
  Start({}, [&](const Answer&) {
    answering.Notify();
    go_on.WaitForNotification();
  });
  server_->AwaitIdle(absl::InfinitePast());
  std::thread service([&] { shelf_.AnswerAll(); });
  answering.WaitForNotification();
  std::atomic<bool> idle{false};
  std::thread waits([&] {
    server_->AwaitIdle(absl::InfiniteFuture());
    idle = true;
  });
  EXPECT_FALSE(idle);
  go_on.Notify();
  service.join();
  waits.join();
}

TEST_F(DirectCallTest, AMethodThatTheServiceDoesNotHaveIsUnimplemented) {
  service_.handler = [](auto...) -> Reactor* { return nullptr; };  // As gRPC generates it.
  EXPECT_THAT(Call(), StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_THAT(Call(RequestOf(1 << 20)), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST_F(DirectCallTest, AfterItsServerACallIsUnavailable) {
  service_.handler = shelf_.handler();
  absl::Notification broken;
  Start({}, [&](const Answer& answer) {
    EXPECT_THAT(answer, HasReason(Reason::kUnavailable));
    broken.Notify();
  });
  std::thread gone([&] { server_.reset(); });
  broken.WaitForNotification();
  shelf_.AnswerAll();
  gone.join();
  EXPECT_THAT(Call(), HasReason(Reason::kUnavailable));
}

// Answers, deadlines and cancellations race; a sanitizer watches.
TEST_F(DirectCallTest, EveryCallOfManyIsAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kCallsOfThread = 2000;
  service_.handler = shelf_.handler();
  Tracker tracker;
  std::atomic<int> answers{0};
  std::atomic<bool> over{false};
  std::thread answering([&] {
    for (int round = 0; !over; ++round) {
      shelf_.AnswerAll();
      if (round % 64 == 0) tracker.CancelAll();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < kCallsOfThread; ++i) {
        const absl::Duration timeout = (i + t) % 5 == 0 ? absl::Microseconds(i % 500) : kLong;
        Start((i + t) % 97 == 0 ? RequestOf(DirectCall::kInlineBytesMax + 1) : AskFor(1),
              [&](const Answer&) { ++answers; }, timeout, i % 2 == 0 ? &tracker : nullptr);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  server_->AwaitIdle(absl::InfiniteFuture());
  over = true;
  answering.join();
  tracker.AwaitNone();
  EXPECT_EQ(answers, kThreads * kCallsOfThread);
}

TEST(MethodNameTest, IsThatOfTheWire) {
  EXPECT_EQ(MethodName(EventStoreService::service_full_name(), ReadHeadsRequest::descriptor()),
            "/bdcsync.event_store.v1.EventStoreService/ReadHeads");
}

}  // namespace
}  // namespace bdcsync::rpc
