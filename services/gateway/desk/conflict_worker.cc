#include "services/gateway/desk/conflict_worker.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"

namespace bdcsync::gateway {
namespace {

// A clock that is a little ahead of the conflict service's must not make the worker spin.
constexpr absl::Duration kWakeAfterMin = absl::Milliseconds(20);

version::v1::CloseCause CauseOf(conflict::v1::DueReason reason) {
  return reason == conflict::v1::DUE_REASON_DEADLINE ? version::v1::CLOSE_CAUSE_DEADLINE
                                                     : version::v1::CLOSE_CAUSE_CHECK;
}

}  // namespace

ConflictWorker::ConflictWorker(Dependencies dependencies, ConflictWorkerOptions options)
    : to_(dependencies), options_(options), alive_(std::make_shared<bool>(true)) {}

template <typename Then>
auto ConflictWorker::OnLoop(Then then) {
  return [&loop = to_.loop, alive = std::weak_ptr<bool>(alive_),
          then = std::move(then)](auto argument) mutable {
    loop.Post([alive, then = std::move(then), argument = std::move(argument)]() mutable {
      if (!alive.expired()) then(std::move(argument));
    });
  };
}

void ConflictWorker::Start() {
  to_.loop.Post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) WakeAfter(absl::ZeroDuration());
  });
}

void ConflictWorker::Stop() {
  stopped_.store(true);
  to_.loop.Post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) to_.loop.Cancel(std::exchange(timer_, kNoTimer));
  });
}

void ConflictWorker::WakeAfter(absl::Duration delay) {
  if (stopped_.load()) return;
  // Several gateways wake at one deadline: most of them then find nothing to do.
  delay += options_.jitter * to_.random.Fraction();
  timer_ = to_.loop.RunAfter(delay, [this] {
    timer_ = kNoTimer;
    Begin();
  });
}

void ConflictWorker::Begin() {
  calling_.store(true);
  if (stopped_.load()) {  // Only what is told as idle before this may count on no call.
    calling_.store(false);
    return;
  }
  round_ = Round();
  to_.metrics.rounds.Add();
  conflict::v1::ListDueRequest request;
  request.set_limit(options_.conflicts_per_round_max);
  const CallScope scope(CallTrace{absl::StrCat("conflicts-", Hex64(to_.random.Bits64()))});
  to_.records.ListDue(
      request,
      OnLoop([this](const absl::StatusOr<conflict::v1::ListDueResponse>& due) { OnDue(due); }));
}

void ConflictWorker::OnDue(const absl::StatusOr<conflict::v1::ListDueResponse>& due) {
  if (!due.ok()) {
    to_.metrics.failed_rounds.Add();
    End();
    return;
  }
  to_.metrics.due.Set(due->due_size());
  round_.full = due->due_size() >= options_.conflicts_per_round_max;
  round_.next_deadline_ms = due->next_deadline_ms();
  std::map<size_t, Call> open;  // By replica.
  for (const conflict::v1::DueConflict& one : due->due()) {
    const size_t replica = StableHash64(one.conflict().entity().space()) % to_.versions.replicas();
    Call& call = open[replica];
    call.replica = replica;
    version::v1::CloseItem& item = *call.request.add_items();
    item.set_conflict_id(one.conflict().conflict_id());
    item.set_cause(CauseOf(one.reason()));
    if (call.request.items_size() == kConflictsPerCallMax) {
      round_.calls.push_back(std::exchange(call, Call()));
    }
  }
  for (auto& [replica, call] : open) {
    if (!call.request.items().empty()) round_.calls.push_back(std::move(call));
  }
  CloseNext();
}

void ConflictWorker::CloseNext() {
  if (round_.calls.empty() || stopped_.load()) {
    End();
    return;
  }
  Call call = std::move(round_.calls.front());
  round_.calls.pop_front();
  const size_t replica = call.replica;
  version::v1::CloseConflictsRequest request = call.request;  // The call may need it once more.
  using Response = version::v1::CloseConflictsResponse;
  to_.versions.CloseConflicts(
      replica, std::move(request),
      OnLoop([this, call = std::move(call)](const absl::StatusOr<Response>& closed) mutable {
        OnClosed(closed, std::move(call));
      }));
}

void ConflictWorker::OnClosed(const absl::StatusOr<version::v1::CloseConflictsResponse>& closed,
                              Call call) {
  if (absl::IsUnavailable(closed.status()) && ++call.asked < to_.versions.replicas()) {
    // Any may close them; what this one closed after all is told as closed by another.
    call.replica = (call.replica + 1) % to_.versions.replicas();
    round_.calls.push_front(std::move(call));
  } else if (!closed.ok()) {
    Fail(call.request.items_size(), closed.status().message());
  } else {
    for (const version::v1::CloseResult& result : closed->results()) Count(result);
  }
  CloseNext();
}

void ConflictWorker::Count(const version::v1::CloseResult& result) {
  if (result.has_error() && result.error().code() != InfoOf(Reason::kPreconditionFailed).name) {
    Fail(1, result.error().message());
    return;
  }
  ++round_.done;
  const conflict::v1::Conflict& conflict = result.conflict();
  if (result.has_error()) {
    to_.metrics.closed_elsewhere.Add();
  } else if (conflict.state() == conflict::v1::CONFLICT_STATE_EXPIRED) {
    to_.metrics.expired.Add();
    to_.metrics.lag.Observe(absl::Milliseconds(conflict.closed_ms() - conflict.deadline_ms()));
  } else if (conflict.state() == conflict::v1::CONFLICT_STATE_SUPERSEDED) {
    to_.metrics.superseded.Add();
  } else {
    to_.metrics.checked.Add();
  }
}

void ConflictWorker::Fail(int conflicts, absl::string_view why) {
  if (round_.failed == 0) {
    to_.logger.Warn("conflicts that are due could not be closed", {{"error", why}});
  }
  round_.failed += conflicts;
  to_.metrics.failures.Add(conflicts);
}

void ConflictWorker::End() {
  calling_.store(false);
  absl::Duration delay = options_.interval;
  if (round_.full && round_.done > 0) {
    delay = absl::ZeroDuration();
  } else if (round_.failed == 0 && round_.next_deadline_ms != 0) {
    const absl::Time next = absl::FromUnixMillis(round_.next_deadline_ms);
    delay = std::clamp(next - to_.clock.Now(), kWakeAfterMin, std::max(kWakeAfterMin, delay));
  }
  WakeAfter(delay);
}

}  // namespace bdcsync::gateway
