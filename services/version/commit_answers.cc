// What a run makes of the answers of resolver and log, and what it tells its callers.
#include <utility>

#include "libs/base/errors.h"
#include "libs/rpc/status.h"
#include "services/version/commit_run.h"

namespace bdcsync::version {
namespace {

absl::Status LogUnavailable() {
  return MakeError(Reason::kUnavailable, "the log did not answer; the operation may be repeated");
}

absl::Status MergedTooLarge() {
  return MakeError(Reason::kTooLarge, "merged with what was changed meanwhile it is too large");
}

absl::Status OtherWasRefused() {
  return MakeError(Reason::kDependsOnRejected, "another operation of the atomic batch was refused");
}

absl::Status Reused() {
  return MakeErrorAt(Reason::kOperationIdReused, "op_id",
                     "another request with this op_id was committed before");
}

absl::Status ReusedInBatch() {
  return MakeErrorAt(Reason::kOperationIdReused, "op_id",
                     "another operation of the atomic batch has this op_id");
}

}  // namespace

// The log takes a group whole or not at all, and a second item with one op_id it does not take: a
// repeat stays here until there is an answer to the first.
bool CommitRun::IsRepeat(Work* work, absl::flat_hash_map<absl::string_view, const Work*>& firsts) {
  const auto [first, is_first] = firsts.try_emplace(work->pending.operation().op_id(), work);
  if (is_first) {
    first_looks_.push_back(work);
  } else {
    repeats_.emplace_back(work, first->second);
  }
  return !is_first;
}

void CommitRun::RefuseReused() {
  for (const auto& [repeat, first] : repeats_) {
    if (repeat->pending.operation().request_hash() != first->pending.operation().request_hash()) {
      Refuse(repeat, ReusedInBatch());
    }
  }
}

void CommitRun::AnswerRepeats() {
  for (const auto& [repeat, first] : repeats_) {
    if (repeat->stage == Stage::kAnswered || first->stage != Stage::kAnswered) continue;
    *repeat->pending.result = *first->pending.result;
    repeat->pending.result->set_outcome(common::v1::OUTCOME_DUPLICATE);
    Answer(repeat);
  }
}

void CommitRun::OnMet(const std::vector<Work*>& meetings) {
  const bool whole = decided_.ok() && decided_->results_size() == static_cast<int>(meetings.size());
  for (size_t i = 0; i < meetings.size(); ++i) {
    Work* work = meetings[i];
    if (work->stage != Stage::kMeeting) continue;  // It followed one that failed.
    if (!whole) {
      SendBack(work->line, MakeError(Reason::kUnavailable, "conflicts cannot be resolved now"));
      continue;
    }
    conflict::v1::ResolveResult& result = *decided_->mutable_results(static_cast<int>(i));
    if (result.has_error()) {
      work->line->OnMeetingFailed(work, rpc::FromProto(result.error()), line_tools(), questions_);
    } else if (result.wants_writes()) {
      starts_again_ = work->line->OnWritesWanted(work, line_tools()) || starts_again_;
    } else if (result.has_conflict()) {
      OnAsked(work, *result.mutable_conflict());
    } else if (result.merged().data().size() > tools_.limits.data.data_bytes_max) {
      work->line->OnMeetingFailed(work, MergedTooLarge(), line_tools(), questions_);
    } else {
      work->line->OnMet(work, !result.merged().exists(),
                        std::move(*result.mutable_merged()->mutable_data()), tools_.limits.data);
    }
  }
}

void CommitRun::OnKnown(const std::vector<Work*>& works) {
  if (!known_.ok() && ReasonOf(known_.status()) == Reason::kTooLarge && works.size() > 1) {
    known_at_once_ = works.size() / 2;
    for (auto work = works.rbegin(); work != works.rend(); ++work) {
      ((*work)->stage == Stage::kDoubted ? questions_.doubts : first_looks_).push_front(*work);
    }
    return;
  }
  const bool whole = known_.ok() && known_->operations_size() == static_cast<int>(works.size());
  for (size_t i = 0; i < works.size(); ++i) {
    Work* work = works[i];
    if (work->stage == Stage::kAnswered) continue;  // Sent back meanwhile, or refused with another.
    if (!whole) {
      SendBack(work->line, LogUnavailable());
      continue;
    }
    const event_store::v1::StoredOperation& stored = known_->operations(static_cast<int>(i));
    if (!stored.has_event()) {
      work->is_new = true;
      if (work->stage == Stage::kDoubted) Refuse(work, work->error);
    } else if (stored.request_hash() == work->pending.operation().request_hash()) {
      AnswerDuplicate(work, stored.event(), stored.epoch());
    } else {
      Refuse(work, Reused());
    }
  }
}

void CommitRun::OnAppended(const std::vector<Work*>& works, int items) {
  questions_.bytes_in_work = 0;
  last_group_ = 0;
  const bool whole = appended_.ok() && appended_->results_size() == items;
  if (!whole) {
    for (Work* work : works) {
      if (work->stage != Stage::kAnswered) SendBack(work->line, LogUnavailable());
    }
    return;
  }
  int at = 0;
  for (Work* work : works) {
    const int first = std::exchange(at, at + work->items());
    if (work->stage == Stage::kAnswered) continue;  // Sent back with one before it.
    if (work->stage == Stage::kWaiting) continue;   // Follows one before it to a branch.
    if (work->opening != nullptr) {
      OnOpened(work, first);
    } else if (work->pending.closing != nullptr) {
      OnClosed(work, first);
    } else {
      OnAppendResult(work, *appended_->mutable_results(first));
    }
  }
  for (EntityLine& line : lines_) {
    if (line.found_head != nullptr) {
      line.SetHead(std::exchange(line.found_head, nullptr), true);
    } else if (line.chain_broken && line.stored() != nullptr) {
      line.Restart();
    }
  }
}

void CommitRun::OnAppendResult(Work* work, event_store::v1::AppendResult& result) {
  EntityLine& line = *work->line;
  if (result.has_appended()) {
    work->next->time_ms = result.appended().time_ms();
    line.OnAppended(work);
    line.found_head = nullptr;
    AnswerStored(work, result.appended());
  } else if (result.has_duplicate()) {
    line.chain_broken = true;
    AnswerDuplicate(work, result.duplicate(), result.epoch());
  } else {
    OnAppendError(work, result);
  }
}

void CommitRun::OnAppendError(Work* work, event_store::v1::AppendResult& result) {
  EntityLine& line = *work->line;
  const absl::Status error = rpc::FromProto(result.error());
  const bool first_to_fail = !std::exchange(line.chain_broken, true);
  switch (ReasonOf(error)) {
    case Reason::kPreconditionFailed:
      if (first_to_fail) {
        tools_.observer.OnLostRace();
        if (++line.lost_races > tools_.limits.lost_races_max) {
          SendBack(&line, MakeError(Reason::kUnavailable, "too many writers on this entity"));
          return;
        }
      }
      line.found_head = result.has_head() ? StateAfter(result.head()) : NoState();
      return;
    case Reason::kDependsOnRejected:
      return;  // The group is looked at again, or refused with the one that failed.
    case Reason::kOperationIdReused:
    case Reason::kInvalidArgument:
    case Reason::kTooLarge:
    case Reason::kQuotaExceeded:
      Refuse(work, error);
      return;
    default:
      SendBack(&line, LogUnavailable());
  }
}

void CommitRun::AnswerStored(Work* work, const event_store::v1::Appended& appended) {
  v1::CommitResult& result = *work->pending.result;
  result.set_outcome(work->merged || work->pending.closing != nullptr
                         ? common::v1::OUTCOME_MERGED
                         : common::v1::OUTCOME_APPLIED);
  if (work->kept) SetKept(work->conflict_id, result);
  result.set_version_id(work->next->version_id());
  result.set_revision(work->next->revision);
  result.mutable_position()->set_epoch(appended.epoch());
  result.mutable_position()->set_seq(appended.seq());
  result.set_time_ms(appended.time_ms());
  if (work->text != nullptr) tools_.observer.OnText(work->text->route);
  if (work->text != nullptr && work->text->route != TextRoute::kMeeting) {
    result.set_text(work->text->committed);
  } else if (work->merged && work->next->deleted) {
    result.set_deleted(true);
  } else if (work->merged && work->next->data != work->pending.operation().data()) {
    SetData(*work, work->next->data);
  }
  Answer(work);
}

void CommitRun::SetData(const Work& work, const std::string& data) {
  if (work.pending.call->TakeDataBytes(data.size())) {
    work.pending.result->set_data(data);
  } else {
    work.pending.result->set_data_left_out(true);
  }
}

void CommitRun::AnswerDuplicate(Work* work, const event_store::v1::Event& event, uint64_t epoch) {
  v1::VersionMeta meta;
  const StatePtr state = StateAfter(event, meta);
  v1::CommitResult& result = *work->pending.result;
  result.set_outcome(common::v1::OUTCOME_DUPLICATE);
  result.set_version_id(state->version_id());
  result.set_revision(state->revision);
  result.mutable_position()->set_epoch(epoch);
  result.mutable_position()->set_seq(event.seq());
  result.set_time_ms(event.time_ms());
  const bool kept = meta.outcome() == common::v1::OUTCOME_CONFLICT;
  if (kept) SetKept(meta.conflict_id(), result);
  if (kept) result.set_outcome(common::v1::OUTCOME_DUPLICATE);
  const bool merged = meta.outcome() == common::v1::OUTCOME_MERGED;
  if (merged && !meta.text().empty()) {
    result.set_text(std::move(*meta.mutable_text()));
  } else if (merged && state->deleted) {
    result.set_deleted(true);
  } else if (merged && state->data != work->pending.operation().data()) {
    SetData(*work, state->data);
  }
  // What the client's next operation of the batch was made on, unless it was merged.
  work->ours = state;
  work->merged = merged;
  work->repeated = true;
  if (kept) KeepFollowers(work, state, meta.conflict_id());
  Answer(work);
}

void CommitRun::AnswerError(Work* work, const absl::Status& error) {
  v1::CommitResult& result = *work->pending.result;
  result.set_outcome(common::v1::OUTCOME_REJECTED);
  rpc::ToProto(error, *result.mutable_error());
  work->ours = work->client = nullptr;
  work->refused = true;
  Answer(work);
}

void CommitRun::Answer(Work* work) {
  work->stage = Stage::kAnswered;
  work->before = work->base = nullptr;
  tools_.observer.OnAnswer(work->pending.operation().kind(), work->pending.result->outcome());
  (work->opening == nullptr ? answered_ : told_).push_back(std::move(work->pending.call));
  work->opening = nullptr;
}

void CommitRun::SendBack(EntityLine* line, const absl::Status& error) {
  line->ForgetHead();
  for (Work* work : line->works()) {
    if (work->stage == Stage::kAnswered) continue;
    tools_.observer.OnSentBack(work->pending.operation(), error);
    AnswerError(work, error);
  }
  if (!atomic_) return;
  for (Work& work : works_) {
    if (work.stage != Stage::kAnswered) AnswerError(&work, error);
  }
}

void CommitRun::Refuse(Work* work, const absl::Status& error) {
  if (work->stage == Stage::kAnswered) return;
  AnswerError(work, error);
  if (!atomic_) return;
  for (Work& other : works_) {
    if (other.stage != Stage::kAnswered) AnswerError(&other, OtherWasRefused());
  }
}

void CommitRun::Publish() {
  AnswerRepeats();
  // Answers first: until the run is over, its lanes keep other operations from the old heads.
  for (const auto& call : std::exchange(answered_, {})) call->OnAnswered();
  if (!told_.empty()) {
    // Nobody else waits for conflict: who is answered then keeps what he needs.
    tools_.facts.Record(std::exchange(opened_, {}), [told = std::exchange(told_, {})] {
      for (const auto& call : told) call->OnAnswered();
    });
  }
  std::vector<HeadCache::Update> updates;
  for (EntityLine& line : lines_) {
    const bool finished = line.finished();
    const bool gives_back = finished && line.confirmed() && line.has_trail();
    if (!std::exchange(line.dirty, false) && !gives_back) continue;
    updates.push_back({line.key(), line.confirmed() ? line.stored() : nullptr,
                       gives_back ? line.TakeTrail(tools_.limits.data) : nullptr});
    if (finished) line.Release();
  }
  if (!updates.empty()) tools_.cache.Apply(updates);
}

}  // namespace bdcsync::version
