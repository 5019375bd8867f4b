#include "services/event-store/log_writer.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/append_answers.h"
#include "services/event-store/halves.h"

namespace bdcsync::event_store {
namespace {

constexpr int kAttemptsMax = 200;  // Lost races before an item is answered with unavailable.
constexpr int kDoubtsMax = 3;      // Wrong assumptions within one attempt.
constexpr absl::Duration kPauseMin = absl::Microseconds(200);
constexpr absl::Duration kPauseMax = absl::Milliseconds(5);
constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);

bool AllOf(const std::vector<bool>& settled) {
  return std::find(settled.begin(), settled.end(), false) == settled.end();
}

std::size_t BytesOf(const LogWriter::Item& item) {
  const v1::AppendItem& request = item.second.item();
  return request.data().size() + request.meta().size();
}

}  // namespace

LogWriter::LogWriter(EventStorage& storage, const Clock& clock, Random& random, CommitSink& sink,
                     CommitObserver& observer, const LogWriterLimits& limits)
    : storage_(storage),
      clock_(clock),
      random_(random),
      sink_(sink),
      observer_(observer),
      lines_{storage.OpenLine(random), limits.halves ? storage.OpenLine(random) : nullptr},
      memory_(storage, random, observer, limits.cache),
      pair_(limits.halves ? std::make_unique<PairRunner>() : nullptr),
      batches_(limits.batches, BytesOf,
               [this](Items items, Done done) {
                 absl::MutexLock lock(&mutex_);
                 const bool waited = std::exchange(behind_halves_, false);
                 batch_.emplace(Batch{std::move(items), std::move(done), waited});
               }),
      threads_{std::thread([this] { Run(); }), std::thread([this] { Run(); })} {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  stop_.Stop();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<LogWriter::Batch> LogWriter::NextBatch() {
  const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return batch_.has_value() || stopping_;
  };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&ready));
  return std::exchange(batch_, std::nullopt);
}

void LogWriter::Run() {
  // The batcher gives out the next batch when the one before it is planned, so numbers are in
  // order.
  while (std::optional<Batch> batch = NextBatch()) {
    Flight flight{order_.Begin(), std::move(batch->items), std::move(batch->done),
                  clock_.Monotonic(), *lines_[0]};
    std::optional<std::array<Items, 2>> halves;
    if (IsAlone(*batch, flight.number)) halves = InHalves(flight.items);
    if (halves.has_value()) {
      WriteHalves(flight, *std::move(halves));
    } else {
      Write(flight);
    }
  }
}

bool LogWriter::IsAlone(const Batch& batch, int64_t number) const {
  return pair_ != nullptr && !batch.waited && batches_.queued() == 0 && order_.standing() == 0 &&
         order_.MayPlanAhead(number);
}

void LogWriter::Write(Flight& flight) {
  PlanAhead(flight);
  SendBehind(flight);
  order_.AwaitCommit(flight.number);
  const absl::Status status = CommitAll(flight);
  if (flight.taken) flight.taken();
  order_.Committed();
  Answer(flight, status);
  order_.Settled();
}

// It is its turn, and no other batch comes before it is done. What came before the answers was not
// planned ahead, so it does not count as alone: halves after halves would never plan ahead again.
void LogWriter::WriteHalves(Flight& whole, std::array<Items, 2> halves) {
  std::atomic<bool> waits{false};
  const auto write = [&](Items& items, CommitLine& line) {
    Flight half{whole.number, std::move(items), nullptr, whole.started, line, true};
    PlanHalf(half);
    const absl::Status status = CommitAll(half);
    if (batches_.queued() > 0) waits = true;
    Answer(half, status);
  };
  pair_->Run([&] { write(halves[0], *lines_[0]); }, [&] { write(halves[1], *lines_[1]); });
  {
    absl::MutexLock lock(&mutex_);
    behind_halves_ = waits;
  }
  order_.Committed();
  order_.Settled();
  whole.taken();  // Last: what comes now is alone.
}

void LogWriter::PlanAhead(Flight& flight) {
  {
    absl::MutexLock lock(&plan_mutex_);
    // What is read now would not show the commits that this plan would rest on.
    if (!order_.MayPlanAhead(flight.number) || !PlanFromMemory(flight)) return;
    Stand(flight);
  }
  std::exchange(flight.taken, nullptr)();
}

void LogWriter::PlanHalf(Flight& half) {
  {
    absl::ReaderMutexLock lock(&plan_mutex_);
    if (!PlanFromMemory(half)) return;
  }
  Prepare(half);
}

bool LogWriter::PlanFromMemory(Flight& flight) {
  if (!memory_.Knows(flight.items)) return false;
  flight.plan = std::make_unique<BatchPlan>(memory_.cache(), std::exchange(flight.items, {}));
  if (flight.plan->Wanted().empty() && flight.plan->Decide(absl::ToUnixMillis(clock_.Now()))) {
    return true;
  }
  flight.items = flight.plan->TakeItems();
  flight.plan = nullptr;
  return false;
}

absl::Status LogWriter::PlanNow(Flight& flight) {
  {
    absl::MutexLock lock(&plan_mutex_);
    RETURN_IF_ERROR(memory_.Refresh(flight.items));
    flight.plan = std::make_unique<BatchPlan>(memory_.cache(), std::exchange(flight.items, {}));
    RETURN_IF_ERROR(Decide(*flight.plan));
    Stand(flight);
  }
  if (flight.taken) std::exchange(flight.taken, nullptr)();
  return absl::OkStatus();
}

void LogWriter::Stand(Flight& flight) {
  if (!flight.is_half) {
    memory_.Remember(*flight.plan, std::vector<bool>(flight.plan->logs().size(), true));
    flight.falls = order_.Planned(flight.plan.get());
  }
  Prepare(flight);
}

void LogWriter::Prepare(Flight& flight) {
  flight.commit = nullptr;
  flight.writes = flight.plan->Writes();
  if (!flight.writes.empty()) flight.commit = flight.line.Prepare(flight.writes);
}

void LogWriter::SendBehind(Flight& flight) {
  if (flight.commit == nullptr || flight.commit->id() == 0) return;
  const uint64_t behind = order_.AwaitSent(flight.number, flight.falls);
  if (behind == 0) return;
  Send(flight, behind);
  observer_.SentAhead();
}

void LogWriter::Send(Flight& flight, uint64_t behind) {
  flight.commit->Send(behind);
  flight.sent = true;
  if (!flight.is_half) order_.Sent(flight.number, flight.commit->id(), flight.falls);
}

absl::StatusOr<std::vector<bool>> LogWriter::AwaitAnswer(Flight& flight) {
  flight.sent = false;
  return std::exchange(flight.commit, nullptr)->Await();
}

bool LogWriter::HasFallen(const Flight& flight) const {
  return flight.plan != nullptr && !flight.is_half && flight.falls != order_.falls();
}

absl::Status LogWriter::CommitAll(Flight& flight) {
  absl::Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (attempt > 0) Pause(attempt);
    status = Attempt(flight);
    if (!status.ok() || flight.items.empty()) break;
  }
  if (!status.ok()) GiveUp(flight, status);
  return status;
}

void LogWriter::Answer(Flight& flight, const absl::Status& status) {
  if (!flight.may_settle) order_.AwaitSettle(flight.number);
  if (flight.items.empty()) {
    Settle(flight, std::vector<bool>(flight.plan->logs().size(), true));
  } else {
    Fail(flight.items, status.ok()
                           ? absl::UnavailableError("other writers of the log were always faster")
                           : status);
  }
}

absl::Status LogWriter::Attempt(Flight& flight) {
  if (HasFallen(flight) && flight.sent) {
    ASSIGN_OR_RETURN(const std::vector<bool> settled, CommitFallen(flight));
    if (!AllOf(settled)) Lose(flight, settled);
    return absl::OkStatus();
  }
  if (HasFallen(flight)) {
    flight.items = flight.plan->TakeItems();
    flight.plan = nullptr;
  }
  if (flight.plan == nullptr) RETURN_IF_ERROR(PlanNow(flight));
  ASSIGN_OR_RETURN(std::vector<bool> settled, Commit(flight));
  if (flight.is_half) {
    absl::MutexLock lock(&plan_mutex_);
    memory_.Remember(*flight.plan, settled);
  }
  RETURN_IF_ERROR(CheckUnwritten(*flight.plan, settled));
  if (!AllOf(settled)) {
    observer_.RaceLost(static_cast<int>(std::count(settled.begin(), settled.end(), false)));
    Lose(flight, settled);
  }
  return absl::OkStatus();
}

absl::Status LogWriter::Decide(BatchPlan& plan) {
  do {
    const LookupRequest wanted = plan.Wanted();
    if (wanted.empty()) continue;
    ASSIGN_OR_RETURN(const LookupResult found, storage_.Lookup(wanted));
    plan.Supply(found);
  } while (!plan.Decide(absl::ToUnixMillis(clock_.Now())));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<bool>> LogWriter::Commit(Flight& flight) {
  BatchPlan& plan = *flight.plan;
  std::vector<bool> settled(plan.logs().size(), false);
  for (int doubts = 0; doubts < kDoubtsMax; ++doubts) {
    absl::StatusOr<std::vector<bool>> applied = std::vector<bool>();
    if (flight.commit != nullptr) {
      if (!flight.sent) Send(flight, 0);
      applied = AwaitAnswer(flight);
    }
    if (applied.ok()) {
      std::size_t write = 0;
      for (std::size_t i = 0; i < settled.size(); ++i) {
        settled[i] = plan.logs()[i].appended == 0 || (*applied)[write++];
      }
      return settled;
    }
    if (applied.status().code() != absl::StatusCode::kAlreadyExists) return applied.status();
    absl::MutexLock lock(&plan_mutex_);
    Fall(flight, settled);
    plan.DoubtAssumptions();
    if (plan.Wanted().empty()) break;
    RETURN_IF_ERROR(Decide(plan));
    Stand(flight);
  }
  // What was assumed is right, so what was remembered is wrong.
  absl::MutexLock lock(&plan_mutex_);
  memory_.Forget(plan);
  return settled;
}

// It was applied only where all was written that it rests on. What it did not write, and decided by
// what others were to write, is decided again.
absl::StatusOr<std::vector<bool>> LogWriter::CommitFallen(Flight& flight) {
  const std::vector<BatchPlan::Log>& logs = flight.plan->logs();
  std::vector<bool> settled(logs.size(), false);
  const absl::StatusOr<std::vector<bool>> applied = AwaitAnswer(flight);
  if (applied.ok()) {
    std::size_t write = 0;
    for (std::size_t i = 0; i < settled.size(); ++i) {
      settled[i] = logs[i].appended > 0 && (*applied)[write++];
    }
  } else if (applied.status().code() != absl::StatusCode::kAlreadyExists) {
    return applied.status();
  }
  // When the plan fell, what it leaves was taken back.
  absl::MutexLock lock(&plan_mutex_);
  for (std::size_t i = 0; i < settled.size(); ++i) {
    if (settled[i]) memory_.Doubt(logs[i].stored.log_id);
  }
  return settled;
}

// An answer that rests on what is remembered must be true of the log as it is now. A commit proves
// that; where nothing was written, the head row does.
absl::Status LogWriter::CheckUnwritten(BatchPlan& plan, std::vector<bool>& settled) {
  std::vector<uint32_t> log_ids;
  for (const BatchPlan::Log& log : plan.logs()) {
    if (log.appended == 0 && log.rests_on_memory) log_ids.push_back(log.stored.log_id);
  }
  if (log_ids.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs(log_ids));
  for (const LogState& fresh : logs) {
    for (std::size_t i = 0; i < settled.size(); ++i) {
      const LogState& known = plan.logs()[i].stored;
      if (known.log_id != fresh.log_id) continue;
      settled[i] = known.epoch == fresh.epoch && known.next_position == fresh.next_position;
    }
  }
  return absl::OkStatus();
}

void LogWriter::Fall(Flight& flight, const std::vector<bool>& settled) {
  if (flight.is_half) return;  // It has left nothing, and nothing rests on it.
  for (BatchPlan* fallen : order_.Fall()) {
    for (std::size_t i = 0; i < fallen->logs().size(); ++i) {
      const BatchPlan::Log& log = fallen->logs()[i];
      if (log.appended == 0 || (fallen == flight.plan.get() && settled[i])) continue;
      memory_.TakeBack(log);
    }
  }
}

void LogWriter::Lose(Flight& flight, const std::vector<bool>& settled) {
  std::vector<bool> lost = settled;
  lost.flip();
  {
    absl::MutexLock lock(&plan_mutex_);
    Fall(flight, settled);
    for (std::size_t i = 0; i < lost.size(); ++i) {
      if (lost[i]) memory_.Doubt(flight.plan->logs()[i].stored.log_id);
    }
  }
  if (!flight.may_settle) order_.AwaitSettle(flight.number);
  flight.may_settle = true;
  Settle(flight, settled);
  flight.items = flight.plan->TakeItems(lost);
  flight.plan = nullptr;
}

// The storage may have applied what it did not answer.
void LogWriter::GiveUp(Flight& flight, const absl::Status& status) {
  {
    absl::MutexLock lock(&plan_mutex_);
    if (flight.plan != nullptr) {
      Fall(flight, std::vector<bool>(flight.plan->logs().size(), false));
      flight.items = flight.plan->TakeItems();
    }
    for (const Item& item : flight.items) memory_.Doubt(item.first);
  }
  observer_.BatchFailed(status);
}

void LogWriter::Settle(Flight& flight, const std::vector<bool>& settled) {
  std::vector<BatchPlan::Log*> answered;
  std::vector<std::pair<uint32_t, v1::SpaceCommit>> commits;
  int items = 0;
  int appended = 0;
  int duplicates = 0;
  for (std::size_t i = 0; i < settled.size(); ++i) {
    if (!settled[i]) continue;
    BatchPlan::Log& log = flight.plan->logs()[i];
    answered.push_back(&log);
    appended += log.appended;
    for (const BatchPlan::Item* item : log.items) {
      ++items;
      if (item->outcome == BatchPlan::Outcome::kDuplicate) ++duplicates;
    }
    if (log.appended == 0) continue;
    for (v1::SpaceCommit& commit : CommitsOf(log)) {
      commits.emplace_back(log.stored.log_id, std::move(commit));
    }
  }
  FillResults(storage_, answered);
  for (BatchPlan::Log* log : answered) {
    // From here on the request of a finished item may be gone.
    for (BatchPlan::Item* item : log->items) item->pending.call->Finish(1);
  }
  for (const auto& [log_id, commit] : commits) sink_.Committed(log_id, commit);
  observer_.BatchDone(items, appended, duplicates, clock_.Monotonic() - flight.started);
}

void LogWriter::Fail(const Items& items, const absl::Status& status) {
  const absl::Status answer =
      MakeRetryableError(Reason::kUnavailable, kRetryAfter, status.message());
  for (const auto& [log_id, pending] : items) {
    SetError(answer, pending.result());
    pending.call->Finish(1);
  }
}

// Lets the faster writer finish; random, so that two of them do not keep step.
void LogWriter::Pause(int attempt) {
  const absl::Duration longest = std::min(kPauseMin * (1 << std::min(attempt, 10)), kPauseMax);
  stop_.WaitFor(longest * random_.Fraction());
}

}  // namespace bdcsync::event_store
