// One resolver's line: batches, limits, deadlines, the breaker, and exactly one answer each.
#include "services/conflict/remote/resolver_line.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "libs/json/serialize.h"
#include "services/conflict/remote/fake_endpoint_testing.h"
#include "services/conflict/remote/resolver_registry.h"

namespace bdcsync::conflict {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

class CountingObserver final : public LineObserver {
 public:
  void OnCall(CallOutcome outcome, std::size_t, absl::Duration duration) override {
    ++calls[static_cast<int>(outcome)];
    last_duration_ms = absl::ToInt64Milliseconds(duration);
  }
  void OnAnswer(const RemoteAnswer& answer) override { ++(answer.failure ? failed : answered); }
  void OnQueue(double places) override { queue += static_cast<int>(places); }
  void OnBreaker(CircuitBreaker::State state) override { breaker = state; }

  std::array<std::atomic<int>, kCallOutcomes> calls{};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::atomic<int> queue{0};
  std::atomic<CircuitBreaker::State> breaker{CircuitBreaker::State::kClosed};
  std::atomic<int64_t> last_duration_ms{0};
};

class ResolverLineTest : public ::testing::Test {
 protected:
  // The line, made when it is used first.
  ResolverLine& line() {
    if (!line_) {
      auto endpoint = std::make_unique<FakeEndpoint>();
      endpoint_ = endpoint.get();
      line_ = std::make_unique<ResolverLine>("price", std::move(endpoint), options_,
                                             ResolverLine::Tools{clock_, random_, observer_});
    }
    return *line_;
  }
  FakeEndpoint& endpoint() { return line(), *endpoint_; }

  static std::vector<RemotePlace> Places(int count, const std::string& ours = "3") {
    auto meeting = std::make_shared<RemoteMeeting>();
    meeting->op_id = "op";
    std::vector<RemotePlace> places;
    for (int i = 0; i < count; ++i) {
      places.push_back({meeting, absl::StrCat("/", i), "edit_edit", "1", "2", ours});
    }
    return places;
  }
  // Filled when they are answered; "value 7", "removed" or the reason.
  using Answers = std::shared_ptr<std::optional<std::vector<std::string>>>;
  Answers Ask(std::vector<RemotePlace> places) {
    auto answers = std::make_shared<std::optional<std::vector<std::string>>>();
    line().Resolve(std::move(places), [answers](std::vector<RemoteAnswer> given) {
      ASSERT_FALSE(*answers) << "answered twice";
      answers->emplace();
      for (const RemoteAnswer& answer : given) (*answers)->push_back(Told(answer));
    });
    return answers;
  }
  static std::string Told(const RemoteAnswer& answer) {
    if (answer.failure) return std::string(NoAnswerName(*answer.failure));
    return answer.value ? absl::StrCat("value ", json::Serialize(*answer.value)) : "removed";
  }
  void AnswerOne(const std::string& text) {
    FakeEndpoint::Call call = endpoint().Take();
    call.callback(FakeEndpoint::Everywhere(call.request, text));
  }
  void FailOne(absl::Status status) { endpoint().Take().callback(std::move(status)); }
  int calls(CallOutcome outcome) { return observer_.calls[static_cast<int>(outcome)]; }

  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  SeededRandom random_{3};
  CountingObserver observer_;
  LineOptions options_{.batch_places_max = 4,
                       .calls_in_flight_max = 1,
                       .queue_places_max = 8,
                       .breaker = {.failures_max = 3}};
  FakeEndpoint* endpoint_ = nullptr;
  std::unique_ptr<ResolverLine> line_;
};

TEST_F(ResolverLineTest, AsksAtOnceWhenIdleAndGathersWhileACallIsOut) {
  const Answers first = Ask(Places(1));
  ASSERT_EQ(endpoint().held(), 1u);
  const Answers second = Ask(Places(2));
  const Answers third = Ask(Places(1));
  EXPECT_EQ(endpoint().held(), 1u);
  EXPECT_EQ(observer_.queue, 3);
  clock_.Advance(absl::Milliseconds(5));
  AnswerOne("7");
  EXPECT_THAT(**first, ElementsAre("value 7"));
  EXPECT_EQ(observer_.last_duration_ms, 5);
  ASSERT_EQ(endpoint().held(), 1u);
  EXPECT_EQ(observer_.queue, 0);
  EXPECT_FALSE(*second);
  AnswerOne("8");
  EXPECT_THAT(**second, ElementsAre("value 8", "value 8"));
  EXPECT_THAT(**third, ElementsAre("value 8"));
  EXPECT_EQ(endpoint().requests()[1].meetings_size(), 2);
  EXPECT_EQ(calls(CallOutcome::kOk), 2);
}

TEST_F(ResolverLineTest, NothingAskedIsAnsweredAtOnce) {
  EXPECT_TRUE(*Ask({}));
  EXPECT_EQ(endpoint().held(), 0u);
}

TEST_F(ResolverLineTest, ACallHoldsAtMostItsLimitAndTheDeadlineIsThatOfTheOptions) {
  options_.calls_in_flight_max = 3;
  const Answers all = Ask(Places(9));
  ASSERT_EQ(endpoint().held(), 3u);
  std::vector<int> sizes;
  for (int i = 0; i < 3; ++i) {
    FakeEndpoint::Call call = endpoint().Take();
    EXPECT_EQ(call.timeout, options_.deadline);
    EXPECT_EQ(call.request.resolver(), "price");
    sizes.push_back(call.request.meetings(0).places_size());
    call.callback(FakeEndpoint::Everywhere(call.request, "0"));
  }
  EXPECT_THAT(sizes, ElementsAre(4, 4, 1));
  EXPECT_THAT(**all, Each("value 0"));
}

TEST_F(ResolverLineTest, TheQueueIsBoundedInPlaces) {
  const Answers out = Ask(Places(1));
  const Answers waiting = Ask(Places(8));
  const Answers refused = Ask(Places(1));
  EXPECT_THAT(**refused, ElementsAre("queue_full"));
  EXPECT_EQ(observer_.queue, 8);
  for (int i = 0; i < 3; ++i) AnswerOne("0");
  EXPECT_TRUE(*out);
  EXPECT_TRUE(*waiting);
  EXPECT_EQ(observer_.queue, 0);
}

TEST_F(ResolverLineTest, TheQueueIsBoundedInBytes) {
  const std::string large(40, '1');
  options_.queue_bytes_max = 2 * BytesOf(Places(1, large)[0], {});
  const Answers out = Ask(Places(1, large));
  const Answers waiting = Ask(Places(2, large));
  const Answers refused = Ask(Places(1, large));
  EXPECT_THAT(**refused, ElementsAre("queue_full"));
  AnswerOne("0");
  AnswerOne("0");
  EXPECT_TRUE(*waiting);
  const Answers later = Ask(Places(1, large));
  AnswerOne("0");
  EXPECT_THAT(**later, ElementsAre("value 0"));
}

TEST_F(ResolverLineTest, APlaceLargerThanACallIsNotAskedAbout) {
  options_.batch_bytes_max = BytesOf(Places(1, "10")[0], {});
  const Answers fits = Ask(Places(1, "10"));
  const Answers larger = Ask(Places(1, "100"));
  EXPECT_THAT(**larger, ElementsAre("question_too_large"));
  AnswerOne("0");
  EXPECT_THAT(**fits, ElementsAre("value 0"));
}

TEST_F(ResolverLineTest, WhatWaitedLongerThanADeadlineIsNotSent) {
  const Answers out = Ask(Places(1));
  const Answers late = Ask(Places(1));
  clock_.Advance(options_.deadline / 2);
  const Answers in_time = Ask(Places(1));
  clock_.Advance(options_.deadline / 2 + absl::Milliseconds(1));
  FailOne(absl::DeadlineExceededError("slow"));
  EXPECT_THAT(**out, ElementsAre("deadline"));
  EXPECT_THAT(**late, ElementsAre("queued_too_long"));
  EXPECT_FALSE(*in_time);
  AnswerOne("0");
  EXPECT_THAT(**in_time, ElementsAre("value 0"));
}

TEST_F(ResolverLineTest, EachFailureHasAName) {
  options_.breaker.failures_max = 100;
  const std::vector<std::pair<absl::Status, std::string>> failures = {
      {absl::UnavailableError("down"), "unavailable"},
      {absl::DeadlineExceededError("slow"), "deadline"},
      {absl::ResourceExhaustedError("message too large"), "answer_too_large"},
      {absl::InternalError("bug"), "call_failed"},
      {absl::UnimplementedError("another service"), "call_failed"}};
  for (const auto& [status, reason] : failures) {
    const Answers answers = Ask(Places(2));
    FailOne(status);
    EXPECT_THAT(**answers, ElementsAre(reason, reason));
  }
  EXPECT_EQ(calls(CallOutcome::kFailed), 3);
  EXPECT_EQ(calls(CallOutcome::kUnavailable), 1);
  EXPECT_EQ(calls(CallOutcome::kDeadline), 1);
}

TEST_F(ResolverLineTest, AfterFailuresNothingIsSentUntilAProbeSucceeds) {
  for (int i = 0; i < 3; ++i) {
    const Answers answers = Ask(Places(1));
    FailOne(absl::UnavailableError("down"));
    EXPECT_THAT(**answers, ElementsAre("unavailable"));
  }
  EXPECT_EQ(observer_.breaker, CircuitBreaker::State::kOpen);
  EXPECT_THAT(**Ask(Places(2)), ElementsAre("breaker_open", "breaker_open"));
  EXPECT_EQ(endpoint().held(), 0u);
  clock_.Advance(options_.breaker.wait * 1.5);
  const Answers probe = Ask(Places(1));
  EXPECT_EQ(observer_.breaker, CircuitBreaker::State::kHalfOpen);
  EXPECT_THAT(**Ask(Places(1)), ElementsAre("breaker_open")) << "one probe at a time";
  AnswerOne("5");
  EXPECT_THAT(**probe, ElementsAre("value 5"));
  EXPECT_EQ(observer_.breaker, CircuitBreaker::State::kClosed);
}

TEST_F(ResolverLineTest, WhatWaitsWhenTheBreakerOpensIsAnsweredAtOnce) {
  options_.breaker.failures_max = 1;
  const Answers out = Ask(Places(1));
  const Answers waiting = Ask(Places(6));
  FailOne(absl::UnavailableError("down"));
  EXPECT_TRUE(*out);
  ASSERT_TRUE(*waiting);
  EXPECT_THAT(**waiting, Each("breaker_open"));
  EXPECT_EQ(endpoint().held(), 0u);
}

TEST_F(ResolverLineTest, AnswersThatBreakTheContractOpenTheBreakerAndOthersDoNot) {
  for (int i = 0; i < 10; ++i) {
    const Answers answers = Ask(Places(2));
    FakeEndpoint::Call call = endpoint().Take();
    FakeEndpoint::Response response = FakeEndpoint::Everywhere(call.request, "{");
    response.mutable_answers(0)->mutable_decline();
    call.callback(std::move(response));
    EXPECT_THAT(**answers, ElementsAre("declined", "invalid_answer"));
  }
  EXPECT_EQ(observer_.breaker, CircuitBreaker::State::kClosed);
  for (int i = 0; i < 3; ++i) {
    Ask(Places(2));
    AnswerOne("{");
  }
  EXPECT_EQ(observer_.breaker, CircuitBreaker::State::kOpen);
  EXPECT_EQ(calls(CallOutcome::kInvalid), 3);
}

TEST_F(ResolverLineTest, CallersAtOnceGetOneAnswerEach) {
  options_.calls_in_flight_max = 3;
  options_.queue_places_max = 10000;
  endpoint().AnswerWith(
      [](const FakeEndpoint::Request& request) -> absl::StatusOr<FakeEndpoint::Response> {
        return FakeEndpoint::Everywhere(request, "1");
      });
  constexpr int kCallers = 4;
  constexpr int kQuestions = 300;
  absl::BlockingCounter open(kCallers * kQuestions);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < kQuestions; ++i) {
        line().Resolve(Places(1 + i % 6), [&, i](std::vector<RemoteAnswer> answers) {
          EXPECT_EQ(answers.size(), size_t{1} + i % 6);
          open.DecrementCount();
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  open.Wait();
  EXPECT_EQ(observer_.failed, 0);
  EXPECT_EQ(observer_.queue, 0);
}

TEST(ResolverRegistryTest, OnlyNamesOfTheListAreCalled) {
  size_t unknown = 0;
  ResolverRegistry registry([&unknown](size_t places) { unknown += places; });
  EXPECT_FALSE(registry.names().contains("price"));
  std::vector<RemoteAnswer> answers;
  registry.ResolvePlaces("price", std::vector<RemotePlace>(2),
                         [&](std::vector<RemoteAnswer> given) { answers = std::move(given); });
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].failure, NoAnswer::kUnknownResolver);
  EXPECT_EQ(unknown, 2u);
}

}  // namespace
}  // namespace bdcsync::conflict
