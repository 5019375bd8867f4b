#include "services/event-store/log_writer.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/append_answers.h"

namespace bdcsync::event_store {
namespace {

constexpr int kAttemptsMax = 200;  // Lost races before an item is answered with unavailable.
constexpr int kDoubtsMax = 3;      // Wrong assumptions within one attempt.
constexpr int64_t kCatchUpEventsMax = 4096;  // More of another's events: forget instead.
constexpr int64_t kCatchUpBytesMax = 16 << 20;
constexpr absl::Duration kPauseMin = absl::Microseconds(200);
constexpr absl::Duration kPauseMax = absl::Milliseconds(5);
constexpr absl::Duration kRetryAfter = absl::Milliseconds(100);

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
      cache_(limits.cache),
      batches_(limits.batches, BytesOf,
               [this](Items items, Done done) {
                 absl::MutexLock lock(&mutex_);
                 batch_.emplace(Batch{std::move(items), std::move(done)});
               }),
      threads_{std::thread([this] { Run(); }), std::thread([this] { Run(); })} {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
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
                  clock_.Monotonic()};
    Write(flight);
  }
}

void LogWriter::Write(Flight& flight) {
  PlanAhead(flight);
  order_.AwaitCommit(flight.number);
  absl::Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    if (attempt > 0) Pause(attempt);
    status = Attempt(flight);
    if (!status.ok() || flight.items.empty()) break;
  }
  if (!status.ok()) GiveUp(flight, status);
  if (flight.taken) flight.taken();
  order_.Committed();
  if (!flight.may_settle) order_.AwaitSettle(flight.number);
  if (flight.items.empty()) {
    Settle(flight, std::vector<bool>(flight.plan->logs().size(), true));
  } else {
    Fail(flight.items, status.ok()
                           ? absl::UnavailableError("other writers of the log were always faster")
                           : status);
  }
  order_.Settled();
}

void LogWriter::PlanAhead(Flight& flight) {
  {
    absl::MutexLock lock(&plan_mutex_);
    // What is read now would not show the commits that this plan would rest on.
    if (!order_.MayPlanAhead(flight.number)) return;
    for (const auto& [log_id, pending] : flight.items) {
      if (cache_.FindLog(log_id) == nullptr || stale_.contains(log_id)) return;
    }
    flight.plan = std::make_unique<BatchPlan>(cache_, std::exchange(flight.items, {}));
    if (!flight.plan->Wanted().empty() || !flight.plan->Decide(absl::ToUnixMillis(clock_.Now()))) {
      flight.items = flight.plan->TakeItems();
      flight.plan = nullptr;
      return;
    }
    Stand(flight);
  }
  std::exchange(flight.taken, nullptr)();
}

absl::Status LogWriter::PlanNow(Flight& flight) {
  {
    absl::MutexLock lock(&plan_mutex_);
    RETURN_IF_ERROR(RefreshLogs(flight.items));
    flight.plan = std::make_unique<BatchPlan>(cache_, std::exchange(flight.items, {}));
    RETURN_IF_ERROR(Decide(*flight.plan));
    Stand(flight);
  }
  if (flight.taken) std::exchange(flight.taken, nullptr)();
  return absl::OkStatus();
}

void LogWriter::Stand(Flight& flight) {
  for (const BatchPlan::Log& log : flight.plan->logs()) {
    if (log.appended > 0) flight.plan->Remember(log);
  }
  flight.commit = nullptr;
  flight.writes = flight.plan->Writes();
  if (!flight.writes.empty()) {
    const bool alone = order_.standing() == 0 && batches_.queued() == 0;
    flight.commit = storage_.PrepareCommit(flight.writes, alone);
  }
  flight.falls = order_.Planned(flight.plan.get());
}

absl::Status LogWriter::Attempt(Flight& flight) {
  if (flight.plan != nullptr && flight.falls != order_.falls()) {
    flight.items = flight.plan->TakeItems();
    flight.plan = nullptr;
  }
  if (flight.plan == nullptr) RETURN_IF_ERROR(PlanNow(flight));
  ASSIGN_OR_RETURN(std::vector<bool> settled, Commit(flight));
  RETURN_IF_ERROR(CheckUnwritten(*flight.plan, settled));
  if (std::find(settled.begin(), settled.end(), false) != settled.end()) Lose(flight, settled);
  return absl::OkStatus();
}

absl::Status LogWriter::RefreshLogs(const Items& items) {
  std::vector<uint32_t> log_ids;
  for (const auto& [log_id, pending] : items) {
    if (cache_.FindLog(log_id) != nullptr && !stale_.contains(log_id)) continue;
    log_ids.push_back(log_id);
  }
  if (log_ids.empty()) return absl::OkStatus();
  std::sort(log_ids.begin(), log_ids.end());
  log_ids.erase(std::unique(log_ids.begin(), log_ids.end()), log_ids.end());
  ASSIGN_OR_RETURN(const std::vector<LogState> logs, storage_.LoadLogs(log_ids));
  for (const LogState& log : logs) RETURN_IF_ERROR(Refresh(log));
  return absl::OkStatus();
}

absl::Status LogWriter::Refresh(LogState fresh) {
  const LogState* known = cache_.FindLog(fresh.log_id);
  if (known != nullptr && known->epoch != fresh.epoch) {
    cache_.Forget(fresh.log_id);
  } else if (known != nullptr && fresh.next_position < known->next_position) {
    // Events that were answered are gone. Nobody may mistake what follows for the old history.
    const uint64_t epoch = random_.Bits64();
    RETURN_IF_ERROR(storage_.ReplaceEpoch(fresh, epoch));
    fresh.epoch = epoch;
    cache_.Forget(fresh.log_id);
    observer_.HistoryLost(fresh.log_id);
  } else if (known != nullptr && fresh.next_position > known->next_position) {
    RETURN_IF_ERROR(CatchUp(*known, fresh));
  }
  cache_.PutLog(fresh);
  stale_.erase(fresh.log_id);
  return absl::OkStatus();
}

absl::Status LogWriter::CatchUp(const LogState& known, const LogState& fresh) {
  const int64_t missed = fresh.next_position - known.next_position;
  if (missed > kCatchUpEventsMax) {
    cache_.Forget(fresh.log_id);
    return absl::OkStatus();
  }
  LogRead read;
  read.log_id = fresh.log_id;
  read.after_position = known.next_position - 1;
  read.limit = static_cast<int>(missed);
  read.with_data = false;
  read.bytes_max = kCatchUpBytesMax;
  ASSIGN_OR_RETURN(const v1::ReadLogResponse page, storage_.ReadLog(read));
  if (page.events_size() < missed) {
    cache_.Forget(fresh.log_id);
    return absl::OkStatus();
  }
  for (const v1::Event& event : page.events()) cache_.Apply(event);
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
    if (flight.commit) applied = flight.commit();
    if (applied.ok()) {
      std::size_t write = 0;
      for (std::size_t i = 0; i < settled.size(); ++i) {
        settled[i] = plan.logs()[i].appended == 0 || (*applied)[write++];
      }
      return settled;
    }
    if (applied.status().code() != absl::StatusCode::kAlreadyExists) return applied.status();
    absl::MutexLock lock(&plan_mutex_);
    Fall(plan, settled);
    plan.DoubtAssumptions();
    if (plan.Wanted().empty()) break;
    RETURN_IF_ERROR(Decide(plan));
    Stand(flight);
  }
  // What was assumed is right, so what was remembered is wrong.
  absl::MutexLock lock(&plan_mutex_);
  for (const BatchPlan::Log& log : plan.logs()) cache_.Forget(log.stored.log_id);
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

void LogWriter::Fall(BatchPlan& plan, const std::vector<bool>& settled) {
  for (BatchPlan* fallen : order_.Fall()) {
    for (std::size_t i = 0; i < fallen->logs().size(); ++i) {
      const BatchPlan::Log& log = fallen->logs()[i];
      if (log.appended == 0 || (fallen == &plan && settled[i])) continue;
      cache_.Forget(log.stored.log_id);
      cache_.PutLog(log.stored);
    }
  }
}

void LogWriter::Lose(Flight& flight, const std::vector<bool>& settled) {
  std::vector<bool> lost = settled;
  lost.flip();
  observer_.RaceLost(static_cast<int>(std::count(lost.begin(), lost.end(), true)));
  {
    absl::MutexLock lock(&plan_mutex_);
    Fall(*flight.plan, settled);
    for (std::size_t i = 0; i < lost.size(); ++i) {
      if (lost[i]) stale_.insert(flight.plan->logs()[i].stored.log_id);
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
      Fall(*flight.plan, std::vector<bool>(flight.plan->logs().size(), false));
      flight.items = flight.plan->TakeItems();
    }
    for (const Item& item : flight.items) stale_.insert(item.first);
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
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), longest * random_.Fraction());
}

}  // namespace bdcsync::event_store
