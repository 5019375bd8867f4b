#include "services/gateway/spool/spool.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/errors.h"
#include "services/gateway/pipeline/commit_pipeline.h"
#include "services/gateway/pipeline/left_out_data.h"
#include "services/gateway/protocol/server_message.h"
#include "services/gateway/spool/known_access.h"
#include "services/gateway/spool/spool_metrics.h"
#include "services/gateway/spool/stored_operations.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::Duration kFailureInterval = absl::Seconds(1);

using version::v1::CommitItem;
using version::v1::CommitRequest;
using version::v1::CommitResult;

bool Passes(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kCancelled;
}

bool Unknown(const CommitResult& result) {
  return result.error().code() == InfoOf(Reason::kUnavailable).name ||
         result.error().code() == InfoOf(Reason::kDeadlineExceeded).name;
}

const std::string& SpaceOf(const StoreAndForward::Group& group) {
  return group.items.front().operation().entity().space();
}

}  // namespace

Spool::Spool(std::unique_ptr<queue::DurableQueue> queue, SpoolDependencies dependencies,
             SpoolLimits limits)
    : queue_(std::move(queue)),
      to_(dependencies),
      limits_(limits),
      held_(queue_->lanes()),
      waiting_(queue_->waiting()),
      failures_(to_.clock, kFailureInterval),
      items_max_(limits.batch_items_max),
      retry_after_(limits.retry_after_min) {
  if (queue_->waiting() > 0) {
    to_.logger.Info("stored operations wait", {{"operations", queue_->waiting()}});
  }
  PublishState();
  to_.access.Remember(waiting_ > 0);
  thread_ = std::thread([this] { Run(); });
}

Spool::~Spool() { Stop(); }

void Spool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    work_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

bool Spool::Holds(absl::string_view space) const {
  absl::MutexLock lock(&mutex_);
  return !held_.empty() && held_.contains(space);
}

size_t Spool::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_;
}

void Spool::Store(std::vector<Group> groups, Done done) {
  {
    absl::MutexLock lock(&mutex_);
    for (const Group& group : groups) ++held_[SpaceOf(group)];
    waiting_ += groups.size();
  }
  // Counted before: else what is known would go with what was stored before, and goes just now.
  for (const Group& group : groups) to_.access.OnStored(*group.caller);
  {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      requests_.push_back({std::move(groups), std::move(done)});
      work_.Signal();
      return;
    }
  }
  for (const Group& group : groups) Forget(SpaceOf(group));
  done(std::vector<absl::Status>(groups.size(),
                                 MakeError(Reason::kUnavailable, "the gateway is stopping")));
}

bool Spool::Do(absl::AnyInvocable<void(queue::DurableQueue&)> task) {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return false;
  tasks_.push_back(std::move(task));
  work_.Signal();
  return true;
}

void Spool::OnUnparked(int64_t id, absl::string_view space) {
  vouched_.insert(id);
  absl::MutexLock lock(&mutex_);
  to_.access.Remember(true);
  ++waiting_;
  ++held_[space];
}

bool Spool::HasWork() const {
  // While a call is in flight its answer is all that a stop waits for.
  return (stopping_ && !in_flight_) || !requests_.empty() || !answers_.empty() || !tasks_.empty();
}

void Spool::Run() {
  while (true) {
    const absl::Duration now = to_.clock.Monotonic();
    absl::Duration wait =
        in_flight_ ? absl::InfiniteDuration() : std::max(queue_->NextDue(), next_attempt_ - now);
    if (queue_->kept() > 0) wait = std::min(wait, complete_after_ - now);
    std::deque<Request> requests;
    std::deque<Answer> answers;
    std::deque<absl::AnyInvocable<void(queue::DurableQueue&)>> tasks;
    bool stopping;
    {
      absl::MutexLock lock(&mutex_);
      work_.AwaitFor(mutex_, wait,
                     [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return HasWork(); });
      requests.swap(requests_);
      answers.swap(answers_);
      tasks.swap(tasks_);
      stopping = stopping_;
    }
    if (!requests.empty()) Keep(std::move(requests));
    for (Answer& answer : answers) Settle(std::move(answer));
    for (auto& task : tasks) task(*queue_);
    if (queue_->kept() > 0 && to_.clock.Monotonic() >= complete_after_) Complete({});
    if (stopping && !in_flight_) return;
    if (!stopping) Forward();
    PublishState();
  }
}

// Puts everything that waits on disk, with one flush.
void Spool::Keep(std::deque<Request> requests) {
  std::vector<queue::NewItem> items;
  for (Request& request : requests) {
    for (Group& group : request.groups) items.push_back(ItemOf(std::move(group)));
  }
  absl::StatusOr<std::vector<absl::Status>> statuses = queue_->Push(items);
  if (!statuses.ok()) {
    if (const auto held_back = failures_.Allow(); held_back.has_value()) {
      to_.logger.Error("operations cannot be stored",
                       {{"error", statuses.status().message()}, {"suppressed", *held_back}});
    }
    statuses.emplace(items.size(), MakeRetryableError(Reason::kUnavailable, limits_.check_interval,
                                                      "the operation cannot be stored now"));
  }
  size_t at = 0;
  for (Request& request : requests) {
    std::vector<absl::Status> answer;
    for (size_t i = 0; i < request.groups.size(); ++i, ++at) {
      const bool kept = (*statuses)[at].ok();
      (kept ? to_.metrics.stored : to_.metrics.full).Add();
      if (!kept) Forget(items[at].lane);
      answer.push_back(std::move((*statuses)[at]));
    }
    request.done(std::move(answer));
  }
}

void Spool::Forward() {
  if (in_flight_ || to_.clock.Monotonic() < next_attempt_) return;
  absl::StatusOr<std::vector<queue::Item>> items =
      queue_->Take(items_max_, limits_.batch_bytes_max);
  if (!items.ok()) {
    to_.logger.Error("stored operations cannot be read", {{"error", items.status().message()}});
    next_attempt_ = to_.clock.Monotonic() + limits_.check_interval;
    return;
  }
  // Where none may go on, the next ones come after what was asked meanwhile.
  std::vector<Taken> taken = Authorised(*std::move(items));
  if (!taken.empty()) Send(std::move(taken));
}

// Refuses what may not be committed any more; the rest.
std::vector<Spool::Taken> Spool::Authorised(std::vector<queue::Item> items) {
  std::vector<Taken> authorised;
  for (queue::Item& item : items) {
    Taken taken{std::move(item), {}};
    if (!taken.stored.ParseFromString(taken.item.payload) || taken.stored.items().empty()) {
      ParkUnreadable(taken.item);
      continue;
    }
    const absl::Status allowed = to_.access.Check(taken.stored.items(0), TokenExpires(taken.stored),
                                                  vouched_.contains(taken.item.id));
    if (allowed.ok()) {
      authorised.push_back(std::move(taken));
    } else {
      to_.metrics.unauthorised.Add();
      Refuse(taken, allowed);
    }
  }
  return authorised;
}

// The file is damaged: nobody can be told. It is kept as it is, for whoever looks at it.
void Spool::ParkUnreadable(const queue::Item& item) {
  const absl::Status why = MakeError(Reason::kInternal, "what was stored cannot be read");
  to_.logger.Error("a stored operation cannot be read", {{"space", item.lane}, {"id", item.id}});
  Park(item, {}, item.payload, ErrorOf(why));
}

// What was stored has outlived its requests: calls have ids of their own.
CallTrace Spool::TraceOf(const CommitRequest& request) {
  CallTrace trace{absl::StrCat("spool-", Hex64(to_.random.Bits64()).substr(0, 9))};
  if (!to_.logger.Enabled(log::Level::kDebug)) return trace;
  std::vector<absl::string_view> ids;
  for (const CommitItem& item : request.items()) ids.push_back(item.operation().op_id());
  to_.logger.Debug("stored operations are sent",
                   {{"request_id", trace.request_id}, {"op_ids", absl::StrJoin(ids, ",")}});
  return trace;
}

void Spool::Send(std::vector<Taken> taken) {
  in_flight_ = true;
  auto request = std::make_shared<CommitRequest>();
  for (size_t i = 0; i < taken.size(); ++i) {
    Renumber(taken[i].stored, static_cast<uint32_t>(i + 1));
    request->mutable_items()->MergeFrom(taken[i].stored.items());
  }
  const CallScope scope(TraceOf(*request));
  CommitWhole(to_.version, /*replica=*/0, std::move(request),
              [this, taken = std::move(taken)](
                  absl::StatusOr<version::v1::CommitResponse> response) mutable {
                absl::MutexLock lock(&mutex_);
                answers_.push_back({std::move(taken), std::move(response)});
                work_.Signal();
              });
}

void Spool::Settle(Answer answer) {
  in_flight_ = false;
  int operations = 0;
  for (const Taken& taken : answer.taken) operations += taken.stored.items_size();
  if (answer.response.ok() && answer.response->results_size() != operations) {
    answer.response = MakeError(Reason::kInternal, "the version service left results out");
  }
  if (!answer.response.ok()) {
    PutOff(answer);
    return;
  }
  retry_after_ = limits_.retry_after_min;
  items_max_ = limits_.batch_items_max;
  std::vector<CommitResult> results(
      std::make_move_iterator(answer.response->mutable_results()->begin()),
      std::make_move_iterator(answer.response->mutable_results()->end()));
  std::vector<int64_t> done;
  size_t at = 0;
  for (const Taken& taken : answer.taken) {
    const auto size = static_cast<size_t>(taken.stored.items_size());
    SettleItem(taken, absl::MakeSpan(results).subspan(at, size), done);
    at += size;
  }
  if (done.empty()) return;
  Complete(done);
  to_.metrics.drained.Add(static_cast<double>(done.size()));
  for (const auto& [item, stored] : answer.taken) {
    if (std::find(done.begin(), done.end(), item.id) == done.end()) continue;
    vouched_.erase(item.id);
    Forget(item.lane);
  }
}

// Also where it fails those behind them go on: a disk that is full is never drained otherwise.
void Spool::Complete(const std::vector<int64_t>& done) {
  complete_after_ = to_.clock.Monotonic() + limits_.check_interval;
  const absl::Status forgotten = queue_->Complete(done);
  if (forgotten.ok()) return;
  // After a restart before it succeeds they are committed again, as duplicates.
  if (const auto held_back = failures_.Allow(); held_back.has_value()) {
    to_.logger.Error("committed operations stay stored", {{"operations", queue_->kept()},
                                                          {"error", forgotten.message()},
                                                          {"suppressed", *held_back}});
  }
}

// Adds the item to `done` when all of it is committed.
void Spool::SettleItem(const Taken& taken, absl::Span<CommitResult> results,
                       std::vector<int64_t>& done) {
  const auto& [item, stored] = taken;
  if (std::any_of(results.begin(), results.end(), [](const auto& r) { return Unknown(r); })) {
    to_.metrics.failed_attempts.Add();
    queue_->Retry(std::vector<int64_t>{item.id});
    return;
  }
  v1::StoredOperations refused;
  refused.set_token_expires_ms(stored.token_expires_ms());
  common::v1::Error why;
  for (int i = 0; i < stored.items_size(); ++i) {
    if (results[i].outcome() == common::v1::OUTCOME_REJECTED) {
      if (refused.items_size() == 0) why = results[i].error();
      *refused.add_items() = stored.items(i);
    }
    Tell(stored.items(i), std::move(results[i]));
  }
  if (refused.items_size() == 0) {
    done.push_back(item.id);
  } else {
    Park(item, KeysOf(refused), refused.SerializeAsString(), why);
  }
}

// All of it.
void Spool::Refuse(const Taken& taken, const absl::Status& why) {
  CommitResult refused;
  refused.set_outcome(common::v1::OUTCOME_REJECTED);
  *refused.mutable_error() = ErrorOf(why);
  for (const CommitItem& item : taken.stored.items()) Tell(item, refused);
  Park(taken.item, KeysOf(taken.stored), taken.stored.SerializeAsString(), refused.error());
}

void Spool::Park(const queue::Item& item, const std::vector<std::string>& keys,
                 const std::string& payload, const common::v1::Error& why) {
  const absl::StatusOr<std::vector<queue::Item>> followers =
      queue_->Park(item.id, keys, payload, why.code());
  if (!followers.ok()) {
    to_.logger.Error("a refused operation cannot be parked",
                     {{"error", followers.status().message()}});
    queue_->Retry(std::vector<int64_t>{item.id});
    return;
  }
  to_.logger.Warn("stored operations were refused and are parked",
                  {{"space", item.lane},
                   {"code", why.code()},
                   {"operations", keys.size()},
                   {"dependants", followers->size()}});
  to_.metrics.refused.Add(static_cast<double>(1 + followers->size()));
  vouched_.erase(item.id);
  Forget(item.lane);
  for (const queue::Item& follower : *followers) {
    vouched_.erase(follower.id);
    const v1::StoredOperations stored = StoredIn(follower);
    for (const CommitItem& operation : stored.items()) {
      CommitResult result;
      result.set_outcome(common::v1::OUTCOME_REJECTED);
      *result.mutable_error() =
          ErrorOf(MakeError(Reason::kDependsOnRejected, "an earlier operation on it was refused"));
      Tell(operation, std::move(result));
    }
    Forget(follower.lane);
  }
}

// Nothing is known of the whole call.
void Spool::PutOff(const Answer& answer) {
  to_.metrics.failed_attempts.Add();
  const absl::Status& why = answer.response.status();
  std::vector<int64_t> ids;
  for (const Taken& taken : answer.taken) ids.push_back(taken.item.id);
  if (!Passes(why) && answer.taken.size() == 1) {
    Refuse(answer.taken.front(), why);
    items_max_ = limits_.batch_items_max;
    return;
  }
  queue_->Release(ids);
  if (!Passes(why)) {  // One of them is bad: one at a time tells which.
    items_max_ = 1;
    return;
  }
  const absl::Duration half = retry_after_ / 2;
  next_attempt_ = to_.clock.Monotonic() + half + half * to_.random.Fraction();
  retry_after_ = std::min(retry_after_ * 2, limits_.check_interval);
}

void Spool::Tell(const CommitItem& item, CommitResult result) {
  if (item.actor().session_id().empty()) return;
  sync::v1::OperationResult outcome;
  outcome.set_op_id(item.operation().op_id());
  *outcome.mutable_entity() = item.operation().entity();
  FillResult(std::move(result), outcome);
  to_.listener.OnOutcome(item.actor().session_id(), std::move(outcome));
}

void Spool::Forget(absl::string_view space) {
  absl::MutexLock lock(&mutex_);
  --waiting_;
  const auto held = held_.find(space);
  if (--held->second == 0) held_.erase(held);
  if (waiting_ == 0) to_.access.Remember(false);
}

void Spool::PublishState() {
  const auto oldest = queue_->oldest();
  to_.metrics.oldest_ms.store(oldest.has_value() ? absl::ToUnixMillis(*oldest) : 0);
  to_.metrics.waiting.Set(static_cast<double>(queue_->waiting()));
  to_.metrics.parked.Set(static_cast<double>(queue_->parked()));
  to_.metrics.bytes.Set(static_cast<double>(queue_->bytes()));
}

}  // namespace bdcsync::gateway
