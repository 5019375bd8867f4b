// Calls on streams that stay: whose answer is whose, and what ends with a stream. What all calls
// have in common is in call_test.cc.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "libs/base/clock.h"
#include "libs/rpc/calls_for_test.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/socket_loops.h"
#include "libs/rpc/stream_frame.h"
#include "libs/rpc/streamed_method.h"
#include "libs/testing/status_matchers.h"

namespace bdcsync::rpc {
namespace {

using testing::HasReason;
using testing::StatusIs;
using Answer = absl::StatusOr<ReadHeadsResponse>;

constexpr absl::Duration kLong = absl::Seconds(30);

class StreamedCallTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartServer({});
    Connect();
  }
  // In place of the one there is.
  void StartServer(ServerOptions options, bool streams = true) {
    metrics_.push_back(std::make_unique<metrics::Registry>());
    options.loops = &loops_;
    server_ = std::make_unique<Server>(std::move(options), *metrics_.back());
    server_->AddService(&service_);
    if (streams) {
      ServeOnStreams<EventStoreService>(*server_, &FakeService::ReadHeads);
    }
    ASSERT_OK(server_->Start());
  }
  void Connect(ChannelOptions options = {}) {
    options.loops = &loops_;
    ASSERT_OK_AND_ASSIGN(const Peer peer,
                         DialPeer(absl::StrCat("127.0.0.1:", server_->port()), options));
    ASSERT_TRUE(peer.streams.has_value());
    client_ = std::make_unique<Client<EventStoreService>>(peer);
  }
  // Asks for a number of heads.
  void Start(int heads, Done<ReadHeadsResponse> done, absl::Duration timeout = kLong,
             CallTracker* tracker = nullptr) {
    ReadHeadsRequest request;
    for (int i = 0; i < heads; ++i) request.add_streams();
    client_->Start(kReadHeads, std::move(request), {.timeout = timeout}, std::move(done), tracker);
  }
  Answer Call(int heads, absl::Duration timeout = kLong) {
    Answer answer;
    absl::Notification answered;
    Start(
        heads,
        [&](Answer got) {
          answer = std::move(got);
          answered.Notify();
        },
        timeout);
    answered.WaitForNotification();
    return answer;
  }
  // Until the server's metrics say so.
  void AwaitMetric(const std::string& line) {
    while (!absl::StrContains(metrics_.back()->Render(), line)) std::this_thread::yield();
  }
  // Until the service has this many calls.
  void AwaitCalls(size_t count) {
    while (shelf_.size() < count) std::this_thread::yield();
  }

  SocketLoops loops_;
  std::vector<std::unique_ptr<metrics::Registry>> metrics_;  // One for each server there was.
  FakeService service_;
  Shelf shelf_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client<EventStoreService>> client_;
};

TEST_F(StreamedCallTest, CallsAtOnceDoNotWaitForEachOther) {
  constexpr int kCalls = 5;
  service_.handler = shelf_.handler();
  absl::BlockingCounter answered(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    Start(i, [&, i](const Answer& answer) {
      ASSERT_OK(answer);
      EXPECT_EQ(answer->heads_size(), i);
      answered.DecrementCount();
    });
  }
  AwaitCalls(kCalls);
  shelf_.AnswerAll();
  answered.Wait();
}

TEST_F(StreamedCallTest, AnAnswerThatComesTooLateIsNobodysElse) {
  service_.handler = shelf_.handler();
  EXPECT_THAT(Call(7, absl::Milliseconds(20)), HasReason(Reason::kDeadlineExceeded));
  absl::Notification answered;
  Start(3, [&](const Answer& answer) {
    ASSERT_OK(answer);
    EXPECT_EQ(answer->heads_size(), 3);
    answered.Notify();
  });
  while (!answered.HasBeenNotified()) {
    shelf_.AnswerAll();
    std::this_thread::yield();
  }
}

TEST_F(StreamedCallTest, ACancelledCallEndsAtOnceThoughItsServiceDoesNot) {
  service_.handler = shelf_.handler();
  Tracker tracker;
  absl::Notification answered;
  Start(
      1,
      [&](const Answer& answer) {
        EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
        answered.Notify();
      },
      kLong, &tracker);
  AwaitCalls(1);
  tracker.CancelAll();
  answered.WaitForNotification();
  tracker.AwaitNone();
  shelf_.AnswerAll();
  server_->AwaitIdle(SystemClock().Now() + kLong);
}

TEST_F(StreamedCallTest, AnErrorOfOneCallIsNotOneOfTheNext) {
  service_.handler = [](grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                        auto...) {
    return FinishNow(context, request->streams_size() == 0
                                  ? MakeErrorAt(Reason::kNotFound, "/heads", "none")
                                  : absl::OkStatus());
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(Call(1));
    EXPECT_THAT(Call(0), HasReason(Reason::kNotFound));
  }
}

TEST_F(StreamedCallTest, ACallInFlightEndsWithItsServerAndLaterOnesWhenItIsBack) {
  service_.handler = shelf_.handler();
  absl::Notification broken;
  Start(1, [&](const Answer& answer) {
    EXPECT_FALSE(answer.ok());
    broken.Notify();
  });
  AwaitCalls(1);
  const int port = server_->port();
  std::thread gone([&] { server_.reset(); });
  broken.WaitForNotification();
  shelf_.AnswerAll();
  gone.join();
  EXPECT_THAT(Call(1), HasReason(Reason::kUnavailable));
  service_.handler = [](grpc::CallbackServerContext* context, auto...) {
    return FinishNow(context, absl::OkStatus());
  };
  StartServer({.port = port});
  while (!Call(1).ok()) std::this_thread::yield();
}

// A rolling update: callers are newer than the service.
TEST_F(StreamedCallTest, AServiceThatKnowsNoStreamsIsCalledWithoutThem) {
  service_.handler = [](grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                        ReadHeadsResponse* response) {
    for (int i = 0; i < request->streams_size(); ++i) response->add_heads();
    return FinishNow(context, absl::OkStatus());
  };
  StartServer({}, /*streams=*/false);
  Connect();
  const Answer answer = Call(3);
  ASSERT_OK(answer);
  EXPECT_EQ(answer->heads_size(), 3);
}

TEST_F(StreamedCallTest, ACallWithoutAStreamIsCancelledAndEndsAtItsDeadlineLikeOthers) {
  service_.handler = shelf_.handler();
  StartServer({}, /*streams=*/false);
  Connect();
  EXPECT_THAT(Call(1, absl::Milliseconds(50)), HasReason(Reason::kDeadlineExceeded));
  Tracker tracker;
  absl::Notification answered;
  Start(
      1,
      [&](const Answer& answer) {
        EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
        answered.Notify();
      },
      kLong, &tracker);
  tracker.CancelAll();
  answered.WaitForNotification();
  tracker.AwaitNone();
  shelf_.AnswerAll();
}

TEST_F(StreamedCallTest, AMethodThatAServiceDoesNotHaveIsUnimplemented) {
  service_.handler = [](auto...) { return nullptr; };
  EXPECT_THAT(Call(1), StatusIs(absl::StatusCode::kUnimplemented));
}

// The caller has not seen yet that its free stream ended with the server before.
TEST_F(StreamedCallTest, ACallDoesNotFailBecauseAFreeStreamHasEnded) {
  EXPECT_OK(Call(1));
  const int port = server_->port();
  server_.reset();
  StartServer({.port = port});
  EXPECT_OK(Call(1));
}

TEST_F(StreamedCallTest, ARequestThatIsTooLargeIsRefusedAndTheNextOneIsNot) {
  StartServer({.max_message_bytes = 1000});
  Connect();
  EXPECT_THAT(Call(1000), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(Call(1));
}

TEST_F(StreamedCallTest, AStreamBeyondTheLimitIsRefusedAndThoseWithinItGoOn) {
  StartServer({.streams_max = 2});
  Connect();
  service_.handler = shelf_.handler();
  absl::BlockingCounter answered(2);
  for (int i = 0; i < 2; ++i) {
    Start(i, [&](const Answer& answer) {
      EXPECT_OK(answer);
      answered.DecrementCount();
    });
  }
  AwaitCalls(2);
  EXPECT_THAT(Call(1), HasReason(Reason::kUnavailable));
  shelf_.AnswerAll();
  answered.Wait();
  service_.handler = [](grpc::CallbackServerContext* context, auto...) {
    return FinishNow(context, absl::OkStatus());
  };
  EXPECT_OK(Call(1));
}

TEST_F(StreamedCallTest, OfABurstAsManyStreamsAreKeptAsMayBeFree) {
  Connect({.stream_reuse = {.free_max = 2}});
  service_.handler = shelf_.handler();
  constexpr int kCalls = 5;
  absl::BlockingCounter answered(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    Start(i, [&](const Answer& answer) {
      EXPECT_OK(answer);
      answered.DecrementCount();
    });
  }
  AwaitCalls(kCalls);
  AwaitMetric("bdcsync_grpc_streams 5\n");
  shelf_.AnswerAll();
  answered.Wait();
  AwaitMetric("bdcsync_grpc_streams 2\n");
}

TEST_F(StreamedCallTest, AnOldStreamIsNotUsedAgain) {
  Connect({.stream_reuse = {.age_max = absl::ZeroDuration()}});
  EXPECT_OK(Call(1));
  AwaitMetric("bdcsync_grpc_streams 0\n");
  EXPECT_OK(Call(1));
}

TEST_F(StreamedCallTest, FreeStreamsDoNotHoldUpADrain) {
  EXPECT_OK(Call(1));
  server_->Drain(absl::InfiniteFuture());
  EXPECT_THAT(Call(1), HasReason(Reason::kUnavailable));
}

TEST_F(StreamedCallTest, ACallIsCancelledWithItsClient) {
  service_.handler = shelf_.handler();
  absl::Notification answered;
  Start(1, [&](const Answer& answer) {
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kCancelled));
    answered.Notify();
  });
  AwaitCalls(1);
  client_.reset();
  answered.WaitForNotification();
  shelf_.AnswerAll();
}

// Answers, deadlines and cancellations race; a sanitizer watches.
TEST_F(StreamedCallTest, EveryCallOfManyGetsItsOwnAnswerOnce) {
  constexpr int kThreads = 4;
  constexpr int kCallsOfThread = 300;
  constexpr int kHeadsMax = 7;
  service_.handler = shelf_.handler();
  Tracker tracker;
  std::atomic<int> ok{0};
  absl::BlockingCounter answers(kThreads * kCallsOfThread);
  std::atomic<bool> over{false};
  std::thread answering([&] {
    for (int round = 0; !over; ++round) {
      shelf_.AnswerAll();
      if (round % 256 == 0) tracker.CancelAll();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < kCallsOfThread; ++i) {
        const int heads = (i + t) % kHeadsMax;
        const bool short_one = i % 5 == 0;
        absl::Notification answered;
        Start(
            heads,
            [&, heads](const Answer& answer) {
              if (answer.ok()) {
                EXPECT_EQ(answer->heads_size(), heads);
                ++ok;
              }
              answers.DecrementCount();
              answered.Notify();
            },
            short_one ? absl::Microseconds(i) : kLong, i % 4 == 0 ? &tracker : nullptr);
        answered.WaitForNotification();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  answers.Wait();
  over = true;
  answering.join();
  tracker.AwaitNone();
  EXPECT_GT(ok, 0);
}

TEST_F(StreamedCallTest, AnAnswerThatIsTooLargeIsRefusedAndTheNextOneIsNot) {
  service_.handler = [](grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                        ReadHeadsResponse* response) {
    for (int i = 0; i < 1000 * request->streams_size(); ++i) response->add_heads();
    return FinishNow(context, absl::OkStatus());
  };
  Connect({.max_message_bytes = 1000});
  EXPECT_THAT(Call(1), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(Call(0));
}

TEST_F(StreamedCallTest, LargeCallsAndAnswersArriveWhole) {
  constexpr int kHeads = 200'000;
  service_.handler = [](grpc::CallbackServerContext* context, const ReadHeadsRequest* request,
                        ReadHeadsResponse* response) {
    for (int i = 0; i < request->streams_size(); ++i)
      response->add_heads()->mutable_event()->set_revision(i);
    return FinishNow(context, absl::OkStatus());
  };
  for (int i = 0; i < 2; ++i) {
    const Answer answer = Call(kHeads);
    ASSERT_OK(answer);
    ASSERT_EQ(answer->heads_size(), kHeads);
    EXPECT_EQ(answer->heads(kHeads - 1).event().revision(), kHeads - 1);
  }
}

// Sends bytes as a stream's, and returns the first frame that comes back.
class RawStream final : public FrameReceiver {
 public:
  static absl::StatusOr<std::pair<FrameKind, std::string>> Ask(SocketLoops& loops, int port,
                                                               std::vector<Frame> frames) {
    const auto receiver = std::make_shared<RawStream>();
    const auto socket =
        FramedSocket::Connect(loops.Next(), "127.0.0.1", absl::StrCat(port), 0, {}, receiver);
    for (Frame& frame : frames) socket->Send(std::move(frame));
    receiver->answered_.WaitForNotification();
    socket->Close();
    receiver->ended_.WaitForNotification();
    return receiver->answer_;
  }
  void OnFrame(FrameKind kind, absl::string_view payload) override {
    if (answered_.HasBeenNotified()) return;
    answer_ = {kind, std::string(payload)};
    answered_.Notify();
  }
  void OnTooLarge(FrameKind kind) override { ADD_FAILURE() << static_cast<int>(kind); }
  void OnEnd(const absl::Status& status) override {
    if (!answered_.HasBeenNotified()) {
      answer_ = status;
      answered_.Notify();
    }
    ended_.Notify();
  }

 private:
  absl::StatusOr<std::pair<FrameKind, std::string>> answer_;
  absl::Notification answered_;
  absl::Notification ended_;
};

Frame FrameOf(FrameKind kind, absl::string_view payload) {
  Frame frame(kind, payload.size());
  std::copy(payload.begin(), payload.end(), frame.payload());
  return frame;
}

TEST_F(StreamedCallTest, WhatIsNoCallIsAnErrorOfItsStreamOnly) {
  const std::string method =
      MethodName(EventStoreService::service_full_name(), ReadHeadsRequest::descriptor());
  const auto error_of = [&](absl::string_view opened, FrameKind kind, absl::string_view payload) {
    std::vector<Frame> frames;
    frames.push_back(EncodeOpen(opened));
    frames.push_back(FrameOf(kind, payload));
    const auto answer = RawStream::Ask(loops_, server_->port(), std::move(frames));
    if (!answer.ok()) return answer.status();
    EXPECT_EQ(answer->first, FrameKind::kError);
    return DecodeError(answer->second);
  };
  EXPECT_THAT(error_of(method, FrameKind::kCall, "short"), HasReason(Reason::kBadMessage));
  EXPECT_THAT(error_of(method, FrameKind::kCall, std::string(9, '\0') + "\xff\xff"),
              HasReason(Reason::kBadMessage));
  EXPECT_THAT(error_of(method, FrameKind::kGoodbye, ""), HasReason(Reason::kBadMessage));
  EXPECT_THAT(error_of("/nobody/Nothing", FrameKind::kCall, std::string(9, '\0')),
              StatusIs(absl::StatusCode::kUnimplemented));
  EXPECT_OK(Call(1));
}

TEST_F(StreamedCallTest, ACallerThatDoesNotWaitForItsAnswerIsDisconnected) {
  service_.handler = shelf_.handler();
  const std::string method =
      MethodName(EventStoreService::service_full_name(), ReadHeadsRequest::descriptor());
  std::vector<Frame> frames;
  frames.push_back(EncodeOpen(method));
  const CallTrace trace{"", SystemClock().Monotonic() + kLong};
  for (int i = 0; i < 2; ++i) frames.push_back(EncodeCall(trace, ReadHeadsRequest()));
  EXPECT_THAT(RawStream::Ask(loops_, server_->port(), std::move(frames)),
              HasReason(Reason::kUnavailable));
  shelf_.AnswerAll();
  EXPECT_EQ(shelf_.size(), 0U);
}

}  // namespace
}  // namespace bdcsync::rpc
