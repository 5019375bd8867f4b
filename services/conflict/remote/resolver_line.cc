#include "services/conflict/remote/resolver_line.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/status.h"

namespace bdcsync::conflict {
namespace {

rpc::LaneBatcherLimits BatcherLimits(const LineOptions& options) {
  return {.in_flight_max = options.calls_in_flight_max,
          .batch_items_max = options.batch_places_max,
          .batch_bytes_max = options.batch_bytes_max,
          .queued_items_max = options.queue_places_max};
}

struct Failure {
  CallOutcome outcome;
  NoAnswer reason;
};

Failure FailureOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return {CallOutcome::kUnavailable, NoAnswer::kUnavailable};
    case absl::StatusCode::kDeadlineExceeded:
      return {CallOutcome::kDeadline, NoAnswer::kDeadline};
    case absl::StatusCode::kResourceExhausted:
      return {CallOutcome::kFailed, NoAnswer::kAnswerTooLarge};
    default:
      return {CallOutcome::kFailed, NoAnswer::kCallFailed};
  }
}

RemoteAnswer Without(NoAnswer reason) { return {.failure = reason, .value = std::nullopt}; }

}  // namespace

absl::string_view CallOutcomeName(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::kOk:
      return "ok";
    case CallOutcome::kUnavailable:
      return "unavailable";
    case CallOutcome::kDeadline:
      return "deadline";
    case CallOutcome::kFailed:
      return "failed";
    case CallOutcome::kInvalid:
      break;
  }
  return "invalid";
}

// The places of one caller. Each answer has its own element; the last one written ends it.
struct ResolverLine::Question {
  std::vector<RemotePlace> places;
  std::vector<RemoteAnswer> answers;
  std::atomic<std::size_t> open;
  CallTrace trace;
  RemoteResolver::Answered answered;
};

ResolverLine::ResolverLine(std::string name, std::unique_ptr<ResolverEndpoint> endpoint,
                           LineOptions options, Tools tools)
    : name_(std::move(name)),
      endpoint_(std::move(endpoint)),
      options_(options),
      tools_(tools),
      breaker_(options.breaker, tools.clock, tools.random),
      batcher_(
          BatcherLimits(options), [](const Pending& pending) { return pending.bytes; },
          [this](std::vector<Pending> batch, absl::AnyInvocable<void()> done) {
            Send(std::move(batch), std::move(done));
          }) {}

void ResolverLine::Resolve(std::vector<RemotePlace> places, RemoteResolver::Answered answered) {
  if (places.empty()) {
    answered({});
    return;
  }
  OnStarted();  // Until it returns: a batch may be on its way to the endpoint on this thread.
  auto question = std::make_shared<Question>();
  question->places = std::move(places);
  question->answers.resize(question->places.size());
  question->open = question->places.size();
  question->trace = CallScope::Current();
  question->answered = std::move(answered);
  const bool may_call = breaker_.MayCall();
  const absl::Duration now = tools_.clock.Monotonic();
  std::vector<Pending> batch;
  // What fits into a call goes into the queue together, so that an idle line does not begin with a
  // call for the first place alone.
  for (std::size_t i = 0; i < question->places.size(); ++i) {
    Pending pending{question, i, BytesOf(question->places[i], options_.question), now};
    if (!may_call) {
      Answer(pending, Without(NoAnswer::kBreakerOpen));
    } else if (pending.bytes > options_.batch_bytes_max) {
      Answer(pending, Without(NoAnswer::kQuestionTooLarge));
    } else {
      batch.push_back(std::move(pending));
      if (batch.size() == options_.batch_places_max) Enqueue(std::exchange(batch, {}));
    }
  }
  Enqueue(std::move(batch));
  OnFinished();
}

bool ResolverLine::Reserve(const std::vector<Pending>& pending) {
  std::size_t bytes = 0;
  for (const Pending& one : pending) bytes += one.bytes;
  if (queued_bytes_.fetch_add(bytes) + bytes <= options_.queue_bytes_max) return true;
  queued_bytes_.fetch_sub(bytes);
  return false;
}

void ResolverLine::Enqueue(std::vector<Pending> pending) {
  if (pending.empty()) return;
  if (!Reserve(pending)) {
    AnswerAll(pending, NoAnswer::kQueueFull);
    return;
  }
  std::size_t bytes = 0;
  const double places = static_cast<double>(pending.size());
  std::vector<std::pair<uint64_t, std::vector<Pending>>> groups;
  for (Pending& one : pending) {
    bytes += one.bytes;
    groups.emplace_back(lane_.fetch_add(1), std::vector<Pending>());
    groups.back().second.push_back(std::move(one));
  }
  tools_.observer.OnQueue(places);
  if (batcher_.SubmitGroups(std::move(groups))) return;
  tools_.observer.OnQueue(-places);
  queued_bytes_.fetch_sub(bytes);
  // NOLINTNEXTLINE(bugprone-use-after-move): untouched when refused.
  for (const auto& [lane, group] : groups) AnswerAll(group, NoAnswer::kQueueFull);
}

void ResolverLine::Send(std::vector<Pending> batch, absl::AnyInvocable<void()> done) {
  tools_.observer.OnQueue(-static_cast<double>(batch.size()));
  for (const Pending& pending : batch) queued_bytes_.fetch_sub(pending.bytes);
  DropLate(batch);
  if (batch.empty()) {
    done();
    return;
  }
  const auto permit = breaker_.Admit();
  TellBreaker();
  if (permit) {
    Call(std::move(batch), *permit, std::move(done));
    return;
  }
  AnswerAll(batch, NoAnswer::kBreakerOpen);
  done();
}

void ResolverLine::DropLate(std::vector<Pending>& batch) {
  const absl::Duration oldest = tools_.clock.Monotonic() - options_.deadline;
  const auto late = std::stable_partition(
      batch.begin(), batch.end(), [oldest](const Pending& one) { return one.asked >= oldest; });
  const std::vector<Pending> dropped(std::make_move_iterator(late),
                                     std::make_move_iterator(batch.end()));
  batch.erase(late, batch.end());
  AnswerAll(dropped, NoAnswer::kQueuedTooLong);
}

void ResolverLine::Call(std::vector<Pending> batch, CircuitBreaker::Permit permit,
                        absl::AnyInvocable<void()> done) {
  std::vector<const RemotePlace*> places;
  std::vector<const CallTrace*> callers;
  for (const Pending& pending : batch) {
    places.push_back(&pending.question->places[pending.index]);
    const CallTrace* const trace = &pending.question->trace;
    if (callers.empty() || callers.back() != trace) callers.push_back(trace);
  }
  resolver::v1::ResolveRequest request = MakeQuestion(name_, places, options_.question);
  // The callers' deadline is not passed on: the resolver is judged by its own, which is short.
  const CallScope scope({.request_id = TraceOfBatch(callers, tools_.random).request_id});
  OnStarted();
  endpoint_->Resolve(
      std::move(request), options_.deadline,
      [this, batch = std::move(batch), places = std::move(places), permit,
       began = tools_.clock.Monotonic(), done = std::move(done)](
          const absl::StatusOr<resolver::v1::ResolveResponse>& response) mutable {
        const CallEnd end = EndOf(response, places);
        breaker_.Report(permit, end.outcome == CallOutcome::kOk);
        TellBreaker();
        tools_.observer.OnCall(end.outcome, places.size(), tools_.clock.Monotonic() - began);
        done();  // Before the answers: the next call need not wait for what their owners do.
        for (std::size_t i = 0; i < batch.size(); ++i) Answer(batch[i], end.answers[i]);
        batch.clear();
        OnFinished();
      });
}

ResolverLine::CallEnd ResolverLine::EndOf(
    const absl::StatusOr<resolver::v1::ResolveResponse>& response,
    const std::vector<const RemotePlace*>& places) const {
  if (response.ok()) {
    std::vector<RemoteAnswer> answers = ReadAnswers(*response, places, options_.question);
    const bool valid = AnyIsValid(answers);
    return {valid ? CallOutcome::kOk : CallOutcome::kInvalid, std::move(answers)};
  }
  const Failure failure = FailureOf(response.status());
  return {failure.outcome, std::vector<RemoteAnswer>(places.size(), Without(failure.reason))};
}

void ResolverLine::Answer(const Pending& pending, RemoteAnswer answer) {
  tools_.observer.OnAnswer(answer);
  Question& question = *pending.question;
  question.answers[pending.index] = std::move(answer);
  if (question.open.fetch_sub(1) != 1) return;
  const CallScope scope(question.trace);
  question.answered(std::move(question.answers));
}

void ResolverLine::AnswerAll(const std::vector<Pending>& batch, NoAnswer reason) {
  for (const Pending& pending : batch) Answer(pending, Without(reason));
}

void ResolverLine::TellBreaker() { tools_.observer.OnBreaker(breaker_.state()); }

void ResolverLine::Drain(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return under_way_ == 0; };
  mutex_.AwaitWithDeadline(absl::Condition(&idle), deadline);
}

void ResolverLine::OnStarted() {
  absl::MutexLock lock(&mutex_);
  ++under_way_;
}

void ResolverLine::OnFinished() {
  absl::MutexLock lock(&mutex_);
  --under_way_;
}

}  // namespace bdcsync::conflict
