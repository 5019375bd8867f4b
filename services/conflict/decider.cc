#include "services/conflict/decider.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "libs/base/call_trace.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"

namespace bdcsync::conflict {
namespace {

// The record of `result`; takes its decisions with `take`.
v1::Resolution RecordOf(const v1::ResolveItem& item, int64_t rule_set_version,
                        v1::ResolveResult& result, bool take) {
  v1::Resolution record;
  record.set_op_id(item.op_id());
  *record.mutable_entity() = item.entity();
  record.mutable_entity()->set_branch(std::string(entity::ViewOf(item.entity()).branch));
  record.set_base_version_id(item.base().version_id());
  record.set_theirs_version_id(item.theirs().version_id());
  record.set_user_id(item.ours().user_id());
  record.set_device_id(item.ours().device_id());
  record.set_app_version(item.ours().app_version());
  record.set_rule_set_version(rule_set_version);
  if (take) {
    record.mutable_decisions()->Swap(result.mutable_decisions());
  } else {
    *record.mutable_decisions() = result.decisions();
  }
  return record;
}

// What a resolver may know of an item, all of whose sides are known by now.
std::shared_ptr<const RemoteMeeting> MeetingOf(const v1::ResolveRequest& request,
                                               const Resolving& resolving, int index) {
  const v1::ResolveItem& item = request.items(index);
  auto meeting = std::make_shared<RemoteMeeting>();
  meeting->op_id = item.op_id();
  meeting->entity = item.entity();
  meeting->entity.set_branch(std::string(entity::ViewOf(item.entity()).branch));
  meeting->base = item.base();
  meeting->theirs = item.theirs();
  meeting->ours = item.ours();
  if (item.theirs_item() > 0) {
    const v1::Side& met = resolving.result(static_cast<int>(item.theirs_item()) - 1).merged();
    meeting->theirs.set_exists(met.exists());
    meeting->theirs.set_data(met.data());
  }
  return meeting;
}

// Whether a script may have to run, which can take long.
bool NeedsWorker(const v1::ResolveRequest& request, const ActiveRules& rules) {
  return rules.has_scripts() &&
         absl::c_any_of(request.items(), [&rules](const v1::ResolveItem& item) {
           return rules.For(item.entity().entity_type()).rules.has_scripts();
         });
}

}  // namespace

// One call, from its first round to its record.
struct Decider::Call {
  Call(const Decider& decider, const v1::ResolveRequest& asked, Decided answer)
      : request(asked),
        decided(std::move(answer)),
        trace(CallScope::Current()),
        rules(decider.rules_()),
        context{.limits = decider.limits_,
                .rules = *rules,
                .now_ms = absl::ToUnixMillis(decider.clock_.Now()),
                .on_script = decider.observer_.on_script,
                .has_time_for_script =
                    [this, &clock = decider.clock_] { return clock.Monotonic() < scripts_end; },
                .ask_remote =
                    [this](int item, const merge::Question& question) {
                      return rounds.questions().Evaluate(item, question);
                    }},
        resolving(request, context),
        rounds(decider.remote_, [this](int item) { return MeetingOf(request, resolving, item); }),
        scripts_end(decider.clock_.Monotonic() + decider.limits_.script_time_max) {}

  const v1::ResolveRequest& request;
  Decided decided;
  const CallTrace trace;
  const std::shared_ptr<const ActiveRules> rules;  // Shared with those who replace them meanwhile.
  const ResolveContext context;
  Resolving resolving;
  RemoteRounds rounds;
  absl::Duration scripts_end;  // Monotonic; later by the time for which others were asked.
};

void Decider::Resolve(const v1::ResolveRequest& request, Decided decided) {
  if (request.items_size() > kResolveItemsMax) {
    decided(MakeError(Reason::kInvalidArgument,
                      absl::StrCat("a call holds at most ", kResolveItemsMax, " meetings")));
    return;
  }
  // Shared with the resolvers that are asked: the last answer goes on with it.
  Continue(std::make_shared<Call>(*this, request, std::move(decided)));
}

void Decider::Continue(const std::shared_ptr<Call>& call) {
  if (!NeedsWorker(call->request, *call->rules)) {
    while (RunRound(call)) {
    }
    return;
  }
  scripts_.Run<bool>(
      [this, call]() -> absl::StatusOr<bool> {
        while (RunRound(call)) {
        }
        return true;
      },
      [this, call](const absl::StatusOr<bool>& ran) {
        if (ran.ok()) return;
        call->decided(ran.status());
        OnEnded(*call);
      });
}

bool Decider::RunRound(const std::shared_ptr<Call>& call) {
  const CallScope scope(call->trace);
  call->scripts_end += call->rounds.Begin();
  if (!call->resolving.Advance()) return Ask(call);
  call->rounds.End();
  Keep(*call);
  OnEnded(*call);
  return false;
}

bool Decider::Ask(const std::shared_ptr<Call>& call) {
  if (!call->rounds.has_asked()) {
    absl::MutexLock lock(&mutex_);
    ++asking_;
  }
  return call->rounds.Ask([this, call] { Continue(call); });
}

void Decider::Keep(Call& call) {
  Resolved resolved = call.resolving.Take();
  Records records;
  for (int i = 0; i < call.request.items_size(); ++i) {
    v1::ResolveResult& result = *resolved.response.mutable_results(i);
    if (result.wants_writes()) continue;  // It is asked about again.
    observer_.on_resolved(result);
    if (result.has_error()) continue;
    if (result.has_conflict()) {
      records.openings.push_back(result.conflict());
    } else {
      records.resolutions.push_back(RecordOf(call.request.items(i), resolved.rule_set_versions[i],
                                             result, call.request.without_decisions()));
    }
  }
  recorder_.Record(std::move(records),
                   [response = std::move(resolved.response),
                    decided = std::move(call.decided)](absl::Status kept) mutable {
                     if (kept.ok()) {
                       decided(std::move(response));
                     } else {
                       decided(std::move(kept));
                     }
                   });
}

void Decider::OnEnded(const Call& call) {
  if (!call.rounds.has_asked()) return;
  absl::MutexLock lock(&mutex_);
  --asking_;
}

void Decider::Drain(absl::Time deadline) {
  {
    absl::MutexLock lock(&mutex_);
    const auto idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return asking_ == 0; };
    mutex_.AwaitWithDeadline(absl::Condition(&idle), deadline);
  }
  scripts_.Drain(deadline);
}

}  // namespace bdcsync::conflict
