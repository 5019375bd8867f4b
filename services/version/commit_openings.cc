// What a run does with changes that a person has to decide: it puts each on a branch of its own, in
// one atomic group with the fact that says so, and leaves the head of main as it is. And with
// merges that close a conflict.
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "services/version/commit_run.h"
#include "services/version/conflict_facts.h"

namespace bdcsync::version {
namespace {

using event_store::v1::AppendRequest;
using event_store::v1::AppendResult;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;

absl::Status CannotWait(const common::v1::EntityKey& entity) {
  return MakeErrorAt(
      Reason::kPreconditionFailed, "base_version",
      absl::StrCat("a person has to decide about this change of ", entity.entity_type(), " ",
                   entity.entity_id(), ", and an atomic batch cannot wait: send it alone"));
}

absl::Status OpenedBefore() {
  return MakeError(Reason::kPreconditionFailed, "its conflict was opened before, long ago");
}

absl::Status ConflictMoved() {
  return MakeError(Reason::kPreconditionFailed, "the conflict is not as it was");
}

bool Failed(const AppendResult& result, Reason reason) {
  return result.has_error() && result.error().code() == InfoOf(reason).name;
}

}  // namespace

void CommitRun::SetKept(const std::string& conflict_id, v1::CommitResult& result) {
  result.set_outcome(common::v1::OUTCOME_CONFLICT);
  result.set_conflict_id(conflict_id);
  result.set_branch(ConflictBranch(conflict_id));
}

void CommitRun::OnAsked(Work* work, conflict::v1::Conflict& conflict) {
  EntityLine& line = *work->line;
  if (atomic_) {
    line.OnMeetingFailed(work, CannotWait(work->pending.operation().entity()), line_tools(),
                         questions_);
    return;
  }
  if (!work->may_ask()) {
    SendBack(&line, MakeError(Reason::kUnavailable, "conflict asks though it must not"));
    return;
  }
  if (!line.OnAsked(work)) return;
  absl::StatusOr<std::unique_ptr<Opening>> opening =
      MakeOpening({.operation = work->pending.operation(),
                   .base = *work->base,
                   .base_is_stored = !work->base_is_made,
                   .theirs = *work->before,
                   .ours = *work->ours},
                  std::move(conflict), tools_.limits.data, tools_.random);
  if (!opening.ok()) {
    SendBack(&line, MakeError(Reason::kUnavailable, opening.status().message()));
    return;
  }
  work->opening = *std::move(opening);
}

bool CommitRun::LoadFacts() {
  std::vector<Work*> works;
  ReadHeadsRequest request;
  for (Work& work : works_) {
    if (work.stage != Stage::kOpening || work.opening->facts.has_value()) continue;
    if (works.size() == facts_at_once_) break;
    works.push_back(&work);
    SetFactsStream(work.pending.operation().entity(), *request.add_streams());
  }
  if (works.empty()) return false;
  Expect(1, [this, works = std::move(works)] { OnFacts(works); });
  tools_.log.ReadHeads(std::move(request),
                       [self = shared_from_this()](absl::StatusOr<ReadHeadsResponse> facts) {
                         self->facts_ = std::move(facts);
                         self->Arrive();
                       });
  Arrive();
  return true;
}

void CommitRun::OnFacts(const std::vector<Work*>& works) {
  if (!facts_.ok() && ReasonOf(facts_.status()) == Reason::kTooLarge && works.size() > 1) {
    facts_at_once_ = works.size() / 2;
    return;
  }
  const bool whole = facts_.ok() && facts_->heads_size() == static_cast<int>(works.size());
  for (size_t i = 0; i < works.size(); ++i) {
    Work* work = works[i];
    if (!whole) {
      SendBack(work->line, MakeError(Reason::kUnavailable, "the log cannot be read"));
      continue;
    }
    const event_store::v1::Head& head = facts_->heads(static_cast<int>(i));
    SetFacts(work, head.has_event() ? FactsHeadAfter(head.event()) : FactsHead());
  }
}

void CommitRun::SetFacts(Work* work, FactsHead facts) {
  if (facts.full() && facts.Find(work->opening->conflict.conflict_id()) == nullptr) {
    work->without_asking = true;
    work->line->Restart();
    return;
  }
  work->opening->facts = std::move(facts);
}

void CommitRun::AddConflictItems(Work& work, AppendRequest& request) {
  ++last_group_;
  if (work.opening != nullptr) {
    AddOpening(*work.opening, work.pending.operation(), last_group_, request);
  } else {
    SetAppendItem(work, last_group_, *request.add_items());
    AddClosing(*work.pending.closing, work.next->version_id(), last_group_, request);
  }
}

void CommitRun::OnOpened(Work* work, int at) {
  EntityLine& line = *work->line;
  const int fact_at = at + work->opening->items() - 1;
  AppendResult& change = *appended_->mutable_results(fact_at - 1);
  if (change.has_appended()) {
    AnswerOpened(work, change.appended());
  } else if (change.has_duplicate()) {
    work->opening = nullptr;
    AnswerDuplicate(work, change.duplicate(), change.epoch());
  } else if (const int culprit = CulpritAmong(at, work->opening->items());
             !Failed(appended_->results(culprit), Reason::kPreconditionFailed)) {
    OnAppendError(work, *appended_->mutable_results(culprit));
  } else if (culprit != fact_at) {
    Refuse(work, OpenedBefore());
  } else {
    tools_.observer.OnLostRace();
    if (++line.lost_races > tools_.limits.lost_races_max) {
      SendBack(&line, MakeError(Reason::kUnavailable, "too many writers on this entity"));
      return;
    }
    const AppendResult& fact = appended_->results(fact_at);
    SetFacts(work, fact.has_head() ? FactsHeadAfter(fact.head()) : FactsHead());
    return;
  }
  line.Resume();
}

void CommitRun::AnswerOpened(Work* work, const event_store::v1::Appended& appended) {
  Opening& opening = *work->opening;
  opening.change->time_ms = appended.time_ms();
  opening.conflict.set_opened_ms(appended.time_ms());
  v1::CommitResult& result = *work->pending.result;
  SetKept(opening.conflict.conflict_id(), result);
  result.set_version_id(opening.change->version_id());
  result.set_revision(opening.change->revision);
  result.mutable_position()->set_epoch(appended.epoch());
  result.mutable_position()->set_seq(appended.seq());
  result.set_time_ms(appended.time_ms());
  tools_.observer.OnConflictOpened();
  opened_.push_back(FactOf(opening.conflict));
  KeepFollowers(work, opening.change, opening.conflict.conflict_id());
  work->ours = opening.change;
  work->merged = false;
  Answer(work);
}

void CommitRun::KeepFollowers(Work* work, const StatePtr& state, const std::string& conflict_id) {
  if (atomic_ || work->kept) return;
  const EntityLine::Works followers = work->line->TakeFollowers(work);
  if (followers.empty()) return;
  common::v1::EntityKey key = work->pending.operation().entity();
  key.set_branch(ConflictBranch(conflict_id));
  lines_.emplace_back(KeyOf(key)).GoOnFrom(state, followers, conflict_id);
}

void CommitRun::OnClosed(Work* work, int at) {
  AppendResult& merge = *appended_->mutable_results(at);
  if (!Failed(merge, Reason::kDependsOnRejected)) {
    const bool moved_too = Failed(appended_->results(at + 1), Reason::kPreconditionFailed) ||
                           Failed(appended_->results(at + 2), Reason::kPreconditionFailed);
    if (!merge.has_error() || !moved_too) {
      OnAppendResult(work, merge);
      return;
    }
  }
  const int culprit = CulpritAmong(at + 1, Closing::kItems);
  const AppendResult& result = appended_->results(culprit);
  if (Failed(result, Reason::kUnavailable) || Failed(result, Reason::kTooLarge)) {
    OnAppendError(work, *appended_->mutable_results(culprit));
    return;
  }
  work->line->chain_broken = true;
  Refuse(work, ConflictMoved());
}

int CommitRun::CulpritAmong(int begin, int count) const {
  for (int i = begin; i < begin + count; ++i) {
    const AppendResult& result = appended_->results(i);
    if (result.has_error() && !Failed(result, Reason::kDependsOnRejected)) return i;
  }
  return begin + count - 1;
}

}  // namespace bdcsync::version
