#include "services/version/entity_line.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/entity/version_id.h"
#include "services/version/conflict_facts.h"

namespace bdcsync::version {
namespace {

bool SameVersion(const EntityState& a, const EntityState& b) {
  return a.revision == b.revision && a.event_id == b.event_id;
}

bool Waits(const Work* work) { return work->stage == Stage::kWaiting; }

// The service's own, not a client's.
bool IsOwn(const Work& work) { return work.pending.own || work.pending.closing != nullptr; }

// A text operation is moved over what its versions did; it asks for a state only when that is not
// known.
bool WantsBase(const Work& work) {
  const common::v1::Operation& operation = work.pending.operation();
  return UsesBase(operation) &&
         (operation.kind() != common::v1::OPERATION_KIND_TEXT || work.needs_base);
}

// Whether one before it of its batch was refused. All that came after that one were too, but those
// that had been committed before.
bool FollowsRefused(const Work& work) {
  const Work* earlier = work.earlier;
  while (earlier != nullptr && earlier->repeated) earlier = earlier->earlier;
  return earlier != nullptr && earlier->refused;
}

// Adds what conflicts have to do with the version to its description.
void Describe(Work& work) {
  if (const Closing* closing = work.pending.closing; closing != nullptr) {
    work.meta = DescribeForConflict(work.meta, common::v1::OUTCOME_MERGED,
                                    closing->conflict.conflict_id(), closing->branch->version_id());
  } else if (!work.conflict_id.empty()) {
    const auto outcome = work.kept     ? common::v1::OUTCOME_CONFLICT
                         : work.merged ? common::v1::OUTCOME_MERGED
                                       : common::v1::OUTCOME_APPLIED;
    work.meta = DescribeForConflict(work.meta, outcome, work.conflict_id);
  }
}

}  // namespace

void EntityLine::Add(Work* work) {
  const uint64_t batch = work->pending.client_batch;
  if (batch != 0) {
    const auto earlier = std::find_if(works_.rbegin(), works_.rend(), [batch](const Work* other) {
      return other->pending.client_batch == batch;
    });
    if (earlier != works_.rend()) work->earlier = *earlier;
  }
  works_.push_back(work);
}

bool EntityLine::finished() const {
  return absl::c_all_of(works_, [](const Work* work) { return work->stage == Stage::kAnswered; });
}

bool EntityLine::StartsWithCreate() const {
  for (const Work* work : works_) {
    if (work->stage == Stage::kAnswered) continue;
    return work->pending.operation().kind() == common::v1::OPERATION_KIND_CREATE;
  }
  return false;
}

void EntityLine::Release() {
  stored_ = head_ = kept_ = met_first_ = nullptr;
  bases_.clear();
  for (Work* work : works_) {
    work->ours = work->client = nullptr;
    work->next = nullptr;
    work->text = nullptr;
    work->writes.clear();
    work->meta.clear();
  }
}

std::shared_ptr<TextTrail> EntityLine::TakeTrail(const DataLimits& limits) {
  std::shared_ptr<TextTrail> trail = text_.TakeTrail();
  if (trail != nullptr) {
    trail->Trim(static_cast<size_t>(limits.text_distance_max), limits.text_trail_bytes_max);
  }
  return trail;
}

void EntityLine::SetHead(StatePtr head, bool confirmed) {
  // The old head may be the base of an operation that waits.
  if (stored_ != nullptr && stored_->exists()) AddBase(stored_->revision, stored_);
  stored_ = std::move(head);
  confirmed_ = confirmed;
  dirty = dirty || confirmed;
  // Whoever moved the head may have committed what waits here.
  for (Work* work : works_) work->is_new = work->is_looked_up = false;
  Restart();
}

void EntityLine::ForgetHead() {
  stored_ = nullptr;
  head_ = nullptr;
  confirmed_ = false;
  distrusts_memory_ = true;
  dirty = true;
  text_.OnHead(nullptr);
}

void EntityLine::Restart() {
  for (Work* work : works_) {
    if (work->stage == Stage::kAnswered) continue;
    work->stage = Stage::kWaiting;
    work->before = work->base = work->ours = work->client = nullptr;
    work->next = nullptr;
    work->opening = nullptr;
    work->merged = false;
    if (work->text != nullptr) work->text->after.reset();
  }
  head_ = stored_;
  text_.OnHead(stored_.get());
  waits_for_append_ = false;
  open_meeting_ = 0;
}

const StatePtr* EntityLine::BaseAt(int64_t revision) const {
  for (const auto& [at, state] : bases_) {
    if (at == revision) return &state;
  }
  return nullptr;
}

std::vector<int64_t> EntityLine::MissingBases(size_t count_max) {
  std::vector<int64_t> named;
  for (const Work* work : works_) {
    if (!Waits(work) || work->kept || !WantsBase(*work)) continue;
    const auto id = entity::ParseVersionId(work->pending.operation().base_version());
    if (id && id->revision < stored_->revision) named.push_back(id->revision);
  }
  if (named.empty()) {
    bases_.clear();
    return named;
  }
  std::erase_if(bases_,
                [&named](const auto& base) { return !absl::c_linear_search(named, base.first); });
  std::vector<int64_t> missing;
  for (const int64_t revision : named) {
    if (missing.size() == count_max) break;
    if (BaseAt(revision) == nullptr && !absl::c_linear_search(missing, revision)) {
      missing.push_back(revision);
    }
  }
  return missing;
}

absl::StatusOr<StatePtr> EntityLine::FindBase(const Work& work, const DataLimits& limits) const {
  const common::v1::Operation& operation = work.pending.operation();
  if (!UsesBase(operation)) return StatePtr();
  if (BuiltOnEarlier(work)) {
    const Work& earlier = *work.earlier;
    const bool is_head = !earlier.merged && SameVersion(*earlier.ours, *head_);
    return is_head ? StatePtr() : ClientStateAfter(work.earlier, limits);
  }
  ASSIGN_OR_RETURN(StatePtr base, NamedBase(work));
  return base == head_ ? StatePtr() : base;
}

std::optional<entity::VersionId> EntityLine::NamedBy(const Work& work) const {
  if (work.kept) return entity::VersionId{kept_->revision, kept_->event_id};
  return entity::ParseVersionId(work.pending.operation().base_version());
}

absl::StatusOr<StatePtr> EntityLine::NamedBase(const Work& work) const {
  if (work.kept) return SameVersion(*kept_, *head_) ? head_ : kept_;
  const std::optional<entity::VersionId> id = NamedBy(work);
  if (!id || id->revision > stored_->revision) return BaseNotFound();
  StatePtr base = stored_;
  if (id->revision < stored_->revision) {
    const StatePtr* loaded = BaseAt(id->revision);
    if (loaded == nullptr) return absl::UnavailableError("the base has to be read first");
    base = *loaded;
  }
  if (base == nullptr || base->event_id != id->event_id) return BaseNotFound();
  return base;
}

void EntityLine::Advance(const Tools& tools, Questions& questions) {
  if (waits_for_append_ || stored_ == nullptr) return;
  for (Work* work : works_) {
    if (work->stage == Stage::kDoubted) return;
    if (Waits(work) && !Decide(work, tools, questions)) return;
  }
}

// False when the line stops here for now.
bool EntityLine::Decide(Work* work, const Tools& tools, Questions& questions) {
  const auto refuse = [&](absl::Status error) {
    Refuse(work, std::move(error), tools, questions);
    return false;
  };
  const common::v1::Operation& operation = work->pending.operation();
  if (FollowsRefused(*work)) {
    return refuse(MakeError(Reason::kDependsOnRejected,
                            "an earlier operation of the batch on this entity was refused"));
  }
  if (absl::Status valid = ValidateOperation(operation, tools.limits); !valid.ok()) {
    return refuse(std::move(valid));
  }
  if (questions.bytes_in_work > kBytesInWorkMax) {
    if (!tools.atomic) return false;  // Until what is ready is stored.
    return refuse(MakeError(Reason::kTooLarge, "the batch makes too much data to apply at once"));
  }
  if (absl::Status open = CheckBranch(operation); !open.ok()) return refuse(std::move(open));
  if (operation.kind() == common::v1::OPERATION_KIND_TEXT) {
    return DecideText(work, tools, questions);
  }
  absl::StatusOr<StatePtr> base = FindBase(*work, tools.limits);
  if (!base.ok()) return absl::IsUnavailable(base.status()) ? false : refuse(base.status());
  const bool meets = *base != nullptr;
  if (meets ? questions.meetings.size() >= kMeetingsPerCallMax : open_meeting_ != 0) return false;
  if (meets && !MayMeet(work, tools, questions)) return false;
  absl::StatusOr<Change> change = ApplyOperation(operation, meets ? **base : *head_, tools.limits);
  if (!change.ok()) return refuse(std::move(change).status());
  if (meets) {
    MakeMeeting(work, *std::move(base), *std::move(change), tools, questions);
  } else {
    const std::vector<std::string> changed = change->changed_paths;
    const StatePtr before = head_;
    MakeReady(work, *std::move(change), nullptr, tools, questions);
    text_.OnOther(*before, {.version = {head_->revision, head_->event_id},
                            .text = std::nullopt,
                            .changed_paths = changed,
                            .client_time_ms = head_->client_time_ms});
  }
  return true;
}

absl::Status EntityLine::CheckBranch(const common::v1::Operation& operation) const {
  if (head_->sealed) {
    return MakeErrorAt(Reason::kPreconditionFailed, "branch", "the conflict is closed");
  }
  if (head_->exists() || !entity::IsConflictBranch(operation.entity().branch()))
    return absl::OkStatus();
  return MakeErrorAt(Reason::kNotFound, "branch", "there is no such conflict");
}

// A refusal is final only on a head that the log has confirmed: one that is not stored yet may turn
// out to be a duplicate, one from memory may be stale.
void EntityLine::Refuse(Work* work, absl::Status error, const Tools& tools, Questions& questions) {
  if (!tools.atomic && head_ != stored_) {
    waits_for_append_ = true;
    return;
  }
  if (!confirmed_) {
    ForgetHead();
    return;
  }
  work->stage = Stage::kDoubted;
  work->error = std::move(error);
  questions.doubts.push_back(work);
}

// The resolver records what it decides under the op_id. Of an operation that was committed before
// that record is the true one, so it is not put to the resolver again. An atomic run has looked all
// up; what the service does itself has an end of its own.
bool EntityLine::MayMeet(Work* work, const Tools& tools, Questions& questions) {
  if (tools.atomic || work->is_new || IsOwn(*work)) return true;
  const bool comes_again = absl::c_any_of(works_, [work](const Work* other) {
    return other != work && other->stage != Stage::kAnswered && !Waits(other) &&
           other->pending.operation().op_id() == work->pending.operation().op_id();
  });
  if (comes_again) {  // Its answer is that of the first.
    waits_for_append_ = open_meeting_ == 0;
  } else {
    LookUp(questions);
  }
  return false;
}

void EntityLine::LookUp(Questions& questions) {
  absl::flat_hash_set<absl::string_view> before;  // Of operations that are not answered.
  for (Work* work : works_) {
    if (work->stage == Stage::kAnswered || IsOwn(*work)) continue;
    const bool is_first = before.insert(work->pending.operation().op_id()).second;
    if (is_first && Waits(work) && !work->is_new && !std::exchange(work->is_looked_up, true)) {
      questions.looks.push_back(work);
    }
  }
}

void EntityLine::MakeReady(Work* work, Change change, const EntityState* merged_with,
                           const Tools& tools, Questions& questions) {
  const common::v1::Operation& operation = work->pending.operation();
  work->next = NextState(*head_, operation, work->pending.item->actor(), tools.random.Bits64());
  work->next->client_time_ms =
      ClientTimeAfter(merged_with != nullptr ? *merged_with : *head_, operation.client_time_ms());
  work->next->deleted = change.deleted;
  work->next->data = std::move(change.data);
  work->meta = DescribeVersion(operation, *head_, *work->next, merged_with,
                               std::move(change.changed_paths), change.text);
  work->merged = merged_with != nullptr;
  Describe(*work);
  work->before = std::move(head_);
  work->ours = work->next;
  work->stage = Stage::kReady;
  questions.bytes_in_work += work->next->data.size() + work->meta.size();
  head_ = work->next;
}

void EntityLine::MakeMeeting(Work* work, StatePtr base, Change change, const Tools& tools,
                             Questions& questions) {
  work->next = NextState(*head_, work->pending.operation(), work->pending.item->actor(),
                         tools.random.Bits64());
  work->next->client_time_ms = ClientTimeAfter(*base, work->pending.operation().client_time_ms());
  auto ours = std::make_shared<EntityState>(*work->next);
  ours->deleted = change.deleted;
  ours->data = std::move(change.data);
  questions.bytes_in_work += ours->data.size() + base->data.size() + head_->data.size();
  work->ours = std::move(ours);
  work->base = std::move(base);
  work->base_is_made = BuiltOnEarlier(*work) && work->earlier->merged;
  work->before = std::move(head_);
  SetWrites(work);
  for (const conflict::v1::Write& write : work->writes) {
    questions.bytes_in_work += write.ByteSizeLong();
  }
  work->follows_meeting = open_meeting_;
  work->stage = Stage::kMeeting;
  questions.meetings.push_back(work);
  work->meeting_number = static_cast<int>(questions.meetings.size());
  open_meeting_ = work->meeting_number;
  head_ = work->next;
}

void EntityLine::OnMet(Work* work, bool deleted, std::string data, const DataLimits& limits) {
  work->next->deleted = deleted;
  work->next->data = std::move(data);
  work->merged = true;
  std::vector<std::string> changed = ChangedPathsBetween(*work->before, *work->next, limits);
  text_.OnOther(*work->before, {.version = {work->next->revision, work->next->event_id},
                                .text = std::nullopt,
                                .changed_paths = changed,
                                .client_time_ms = work->next->client_time_ms});
  work->meta = DescribeVersion(work->pending.operation(), *work->before, *work->next,
                               work->base.get(), std::move(changed));
  Describe(*work);
  work->base = nullptr;
  work->stage = Stage::kReady;
  if (work->meeting_number == open_meeting_) open_meeting_ = 0;
}

void EntityLine::OnMeetingFailed(Work* work, absl::Status error, const Tools& tools,
                                 Questions& questions) {
  for (Work* other : works_) {
    if (other->stage == Stage::kMeeting) other->stage = Stage::kWaiting;
  }
  head_ = work->before;
  open_meeting_ = 0;
  Refuse(work, std::move(error), tools, questions);
}

bool EntityLine::OnAsked(Work* work) {
  for (Work* other : works_) {
    if (other->stage == Stage::kMeeting) other->stage = Stage::kWaiting;
  }
  head_ = work->before;
  open_meeting_ = 0;
  waits_for_append_ = true;
  if (head_ != stored_) return false;
  if (!confirmed_) {
    ForgetHead();
    return false;
  }
  work->stage = Stage::kOpening;
  return true;
}

EntityLine::Works EntityLine::TakeFollowers(const Work* work) {
  Works followers;
  const uint64_t batch = work->pending.client_batch;
  const std::string& base = work->pending.operation().base_version();
  if (batch == 0 || base.empty()) return followers;
  const auto follows = [&](const Work* other) {
    if (other->stage == Stage::kAnswered || other->pending.client_batch != batch) return false;
    const common::v1::Operation& operation = other->pending.operation();
    return other != work && UsesBase(operation) && operation.base_version() == base;
  };
  absl::c_copy_if(works_, std::back_inserter(followers), follows);
  works_.erase(std::remove_if(works_.begin(), works_.end(), follows), works_.end());
  return followers;
}

void EntityLine::GoOnFrom(StatePtr state, const Works& followers, const std::string& conflict_id) {
  for (Work* work : followers) {
    work->line = this;
    work->kept = true;
    work->conflict_id = conflict_id;
    works_.push_back(work);
  }
  kept_ = state;
  SetHead(std::move(state), /*confirmed=*/false);
}

void EntityLine::OnAppended(Work* work) {
  // The old head may be the base of an operation that waits.
  if (works_.size() > 1 && stored_->exists()) AddBase(stored_->revision, stored_);
  stored_ = work->next;
  text_.OnStored(*stored_);
  confirmed_ = true;
  dirty = true;
  waits_for_append_ = false;
}

}  // namespace bdcsync::version
