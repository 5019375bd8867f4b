#include "services/version/commit_run.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/entity/key.h"
#include "services/version/conflict_facts.h"
#include "services/version/side.h"

namespace bdcsync::version {
namespace {

using event_store::v1::AppendItem;
using event_store::v1::AppendRequest;
using event_store::v1::AppendResponse;
using event_store::v1::GetOperationsRequest;
using event_store::v1::GetOperationsResponse;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using event_store::v1::ReadStreamRequest;
using event_store::v1::ReadStreamResponse;

// Bases that are read at once; each is one call.
constexpr size_t kBasesAtOnceMax = 64;

// Only an operation with a proper op_id can have been committed before.
bool CanBeKnown(const Work& work) {
  const size_t bytes = work.pending.operation().op_id().size();
  return bytes > 0 && bytes <= kOperationIdBytesMax;
}

void SetStream(const EntityLine& line, event_store::v1::StreamKey& key) {
  key.set_space(std::string(line.space()));
  key.set_name(std::string(line.stream()));
}

}  // namespace

std::string CommitRun::KeyOf(const common::v1::EntityKey& key) {
  const entity::KeyView view = entity::ViewOf(key);
  constexpr absl::string_view kSeparator("\0", 1);
  return absl::StrCat(view.space, kSeparator, view.type, ":", view.branch, ":", view.id);
}

void CommitRun::Start(const Tools& tools, std::vector<PendingOperation> operations, bool atomic,
                      absl::AnyInvocable<void()> done) {
  std::make_shared<CommitRun>(tools, std::move(operations), atomic, std::move(done))->Proceed();
}

CommitRun::CommitRun(const Tools& tools, std::vector<PendingOperation> operations, bool atomic,
                     absl::AnyInvocable<void()> done)
    : tools_(tools),
      atomic_(atomic),
      done_(std::move(done)),
      works_(operations.size()),
      heads_at_once_(works_.size()),
      known_at_once_(works_.size()) {
  tools_.observer.OnBatch(works_.size());
  absl::flat_hash_map<absl::string_view, EntityLine*> places;
  places.reserve(works_.size());
  absl::flat_hash_map<absl::string_view, const Work*> firsts;
  for (size_t i = 0; i < works_.size(); ++i) {
    Work& work = works_[i];
    work.pending = std::move(operations[i]);
    const std::string& branch = work.pending.operation().entity().branch();
    if (entity::IsConflictBranch(branch)) {
      work.conflict_id = branch.substr(entity::kConflictBranchPrefix.size());
    }
    std::string key = KeyOf(work.pending.operation().entity());
    const auto place = places.find(key);
    if (place == places.end()) {
      work.line = &lines_.emplace_back(std::move(key));
      places.emplace(work.line->key(), work.line);
    } else {
      work.line = place->second;
    }
    if (atomic_ && CanBeKnown(work) && IsRepeat(&work, firsts)) continue;
    work.line->Add(&work);
  }
  RefuseReused();
}

std::vector<EntityLine*> CommitRun::Wave() {
  std::vector<EntityLine*> wave;
  const size_t lines_max = atomic_ ? lines_.size() : heads_at_once_;
  for (EntityLine& line : lines_) {
    if (wave.size() == lines_max) break;
    if (!line.finished()) wave.push_back(&line);
  }
  return wave;
}

void CommitRun::Proceed() {
  while (true) {
    if (std::exchange(starts_again_, false)) RestartGroup();
    Publish();
    const std::vector<EntityLine*> wave = Wave();
    if (wave.empty()) break;
    if (LoadHeads(wave) || LoadSteps(wave) || LoadBases(wave)) return;
    Decide(wave);
    const bool lost_head =
        absl::c_any_of(wave, [](const EntityLine* line) { return line->stored() == nullptr; });
    if (lost_head) {
      if (atomic_) RestartGroup();
      continue;
    }
    if (std::exchange(questions_.needs_bases, false)) continue;
    if (Ask() || LoadFacts() || Append()) return;
    if (std::exchange(stalled_, true)) {
      for (EntityLine* line : wave) SendBack(line, MakeError(Reason::kInternal, "no progress"));
    }
  }
  done_();
}

void CommitRun::RestartGroup() {
  questions_ = {};
  for (EntityLine& line : lines_) line.Restart();
}

void CommitRun::Expect(int questions, absl::AnyInvocable<void()> then) {
  stalled_ = false;
  then_ = std::move(then);
  expected_.store(questions + 1, std::memory_order_relaxed);
}

void CommitRun::Arrive() {
  if (expected_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  absl::AnyInvocable<void()> then = std::move(then_);
  then();
  Proceed();
}

bool CommitRun::LoadHeads(const std::vector<EntityLine*>& wave) {
  std::vector<EntityLine*> unknown;
  std::vector<absl::string_view> keys;
  std::vector<EntityLine*> ask;
  for (EntityLine* line : wave) {
    if (line->stored() != nullptr) continue;
    if (line->distrusts_memory()) {
      ask.push_back(line);
    } else {
      unknown.push_back(line);
      keys.push_back(line->key());
    }
  }
  if (!unknown.empty()) {
    std::vector<HeadCache::Head> found = tools_.cache.Find(keys);
    for (size_t i = 0; i < found.size(); ++i) {
      if (found[i].state != nullptr) {
        unknown[i]->SetTrail(std::move(found[i].trail));
        unknown[i]->SetHead(std::move(found[i].state), /*confirmed=*/false);
      } else if (unknown[i]->StartsWithCreate()) {
        // Most likely new, which saves a read; the log refuses the append if it is not.
        unknown[i]->SetHead(NoState(), /*confirmed=*/false);
      } else {
        ask.push_back(unknown[i]);
      }
    }
  }
  if (ask.empty()) return false;
  if (ask.size() > heads_at_once_) ask.resize(heads_at_once_);
  ReadHeads(ask);
  return true;
}

void CommitRun::ReadHeads(const std::vector<EntityLine*>& lines) {
  ReadHeadsRequest request;
  request.set_partial(true);
  for (const EntityLine* line : lines) SetStream(*line, *request.add_streams());
  Expect(1, [this, lines] { OnHeads(lines); });
  tools_.log.ReadHeads(std::move(request),
                       [self = shared_from_this()](absl::StatusOr<ReadHeadsResponse> heads) {
                         self->heads_ = std::move(heads);
                         self->Arrive();
                       });
  Arrive();
}

void CommitRun::OnHeads(const std::vector<EntityLine*>& lines) {
  if (!heads_.ok() && ReasonOf(heads_.status()) == Reason::kTooLarge && lines.size() > 1) {
    heads_at_once_ = lines.size() / 2;
    return;
  }
  const bool whole = heads_.ok() && heads_->heads_size() == static_cast<int>(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!whole || heads_->heads(static_cast<int>(i)).unavailable()) {
      SendBack(lines[i], MakeError(Reason::kUnavailable, "the log cannot be read"));
      continue;
    }
    const event_store::v1::Head& head = heads_->heads(static_cast<int>(i));
    lines[i]->SetHead(head.has_event() ? StateAfter(head.event()) : NoState(), true);
  }
}

bool CommitRun::LoadBases(const std::vector<EntityLine*>& wave) {
  std::vector<std::pair<EntityLine*, int64_t>> wanted;
  for (EntityLine* line : wave) {
    if (wanted.size() == kBasesAtOnceMax) break;
    for (const int64_t revision : line->MissingBases(kBasesAtOnceMax - wanted.size())) {
      wanted.emplace_back(line, revision);
    }
  }
  if (wanted.empty()) return false;
  std::vector<ReadStreamRequest> requests(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    SetStream(*wanted[i].first, *requests[i].mutable_stream());
    requests[i].set_from_revision(wanted[i].second);
    requests[i].set_limit(1);
  }
  // Who names an old base will meet somebody, most likely.
  std::vector<Work*> looks;
  if (!atomic_) {
    for (const auto& [line, revision] : wanted) line->LookUp(questions_);
    looks = TakeDoubts();
  }
  const auto on_read = [this, wanted, looks] {
    OnBases(wanted);
    if (!looks.empty()) OnKnown(looks);
  };
  ReadStreams(std::move(requests), on_read, looks);
  return true;
}

void CommitRun::ReadStreams(std::vector<ReadStreamRequest> requests,
                            absl::AnyInvocable<void()> then, const std::vector<Work*>& looks) {
  pages_.assign(requests.size(), absl::UnavailableError("not answered yet"));
  Expect(static_cast<int>(requests.size()) + (looks.empty() ? 0 : 1), std::move(then));
  if (!looks.empty()) AskKnown(looks);
  for (size_t i = 0; i < requests.size(); ++i) {
    tools_.log.ReadStream(std::move(requests[i]),
                          [self = shared_from_this(), i](absl::StatusOr<ReadStreamResponse> page) {
                            self->pages_[i] = std::move(page);
                            self->Arrive();
                          });
  }
  Arrive();
}

bool CommitRun::LoadSteps(const std::vector<EntityLine*>& wave) {
  std::vector<std::pair<EntityLine*, TextMemory::Range>> wanted;
  for (EntityLine* line : wave) {
    if (wanted.size() == kBasesAtOnceMax) break;
    const TextMemory::Range range = line->MissingSteps(tools_.limits.data);
    if (range.count > 0) wanted.emplace_back(line, range);
  }
  if (wanted.empty()) return false;
  std::vector<ReadStreamRequest> requests(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    SetStream(*wanted[i].first, *requests[i].mutable_stream());
    requests[i].set_from_revision(wanted[i].second.from_revision);
    requests[i].set_limit(static_cast<int32_t>(wanted[i].second.count));
    requests[i].set_without_data(true);
  }
  ReadStreams(std::move(requests), [this, wanted] {
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (pages_[i].ok()) {
        wanted[i].first->AddSteps(*pages_[i], wanted[i].second);
      } else {
        SendBack(wanted[i].first, MakeError(Reason::kUnavailable, "the log cannot be read"));
      }
    }
    pages_.clear();
  });
  return true;
}

void CommitRun::OnBases(const std::vector<std::pair<EntityLine*, int64_t>>& wanted) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& [line, revision] = wanted[i];
    if (!pages_[i].ok()) {
      SendBack(line, MakeError(Reason::kUnavailable, "the log cannot be read"));
      continue;
    }
    const bool found = pages_[i]->events_size() == 1 && pages_[i]->events(0).revision() == revision;
    line->AddBase(revision, found ? StateAfter(pages_[i]->events(0)) : nullptr);
  }
  pages_.clear();
}

void CommitRun::Decide(const std::vector<EntityLine*>& wave) {
  if (!first_looks_.empty()) return;
  for (EntityLine* line : wave) line->Advance(line_tools(), questions_);
}

std::vector<Work*> CommitRun::TakeDoubts() {
  const bool first_look = !first_looks_.empty();
  std::vector<Work*> taken;
  while (taken.size() < known_at_once_) {
    std::deque<Work*>& from = first_look                  ? first_looks_
                              : questions_.doubts.empty() ? questions_.looks
                                                          : questions_.doubts;
    if (from.empty()) break;
    Work* work = from.front();
    from.pop_front();
    if (CanBeKnown(*work)) {
      taken.push_back(work);
    } else if (work->stage == Stage::kDoubted) {
      Refuse(work, work->error);
    } else {
      work->is_new = true;
    }
  }
  return taken;
}

bool CommitRun::Ask() {
  std::vector<Work*> doubts = TakeDoubts();
  std::vector<Work*> meetings = std::exchange(questions_.meetings, {});
  if (meetings.empty() && doubts.empty()) return false;
  Expect((meetings.empty() ? 0 : 1) + (doubts.empty() ? 0 : 1), [this, meetings, doubts] {
    if (!meetings.empty()) OnMet(meetings);
    if (!doubts.empty()) OnKnown(doubts);
  });
  if (!meetings.empty()) AskResolver(meetings);
  if (!doubts.empty()) AskKnown(doubts);
  Arrive();
  return true;
}

void CommitRun::AskResolver(const std::vector<Work*>& meetings) {
  tools_.observer.OnMeetings(meetings.size());
  conflict::v1::ResolveRequest request;
  request.set_without_decisions(true);
  for (const Work* work : meetings) {
    conflict::v1::ResolveItem& item = *request.add_items();
    item.set_op_id(work->pending.operation().op_id());
    *item.mutable_entity() = work->pending.operation().entity();
    SetSide(*work->base, *item.mutable_base());
    if (work->follows_meeting == 0) {
      SetSide(*work->before, *item.mutable_theirs());
    } else {
      SetSideAuthor(*work->before, *item.mutable_theirs());
    }
    SetSide(*work->ours, *item.mutable_ours());
    item.mutable_ours()->clear_version_id();
    item.mutable_ours()->set_app_version(work->pending.item->actor().app_version());
    item.set_without_asking(!work->may_ask());
    item.set_theirs_item(static_cast<uint32_t>(work->follows_meeting));
    item.set_can_tell_writes(work->can_tell_writes);
    for (const conflict::v1::Write& write : work->writes) *item.add_theirs_writes() = write;
    if (work->before->revision - work->base->revision > kWritesDistanceMax) {
      tools_.observer.OnWrites(WritesTold::kTooFar);
    } else if (!work->writes.empty()) {
      tools_.observer.OnWrites(work->times_wanted > 0 ? WritesTold::kAsked : WritesTold::kUnasked);
    }
  }
  tools_.resolver.Resolve(
      std::move(request),
      [self = shared_from_this()](absl::StatusOr<conflict::v1::ResolveResponse> decided) {
        self->decided_ = std::move(decided);
        self->Arrive();
      });
}

void CommitRun::AskKnown(const std::vector<Work*>& works) {
  GetOperationsRequest request;
  for (const Work* work : works) {
    event_store::v1::OperationKey& key = *request.add_operations();
    key.set_space(work->pending.operation().entity().space());
    key.set_op_id(work->pending.operation().op_id());
  }
  tools_.log.GetOperations(
      std::move(request), [self = shared_from_this()](absl::StatusOr<GetOperationsResponse> known) {
        self->known_ = std::move(known);
        self->Arrive();
      });
}

// Takes the description of the version: should the append fail, it is made anew.
void CommitRun::SetAppendItem(Work& work, uint32_t group, AppendItem& item) {
  SetStream(*work.line, *item.mutable_stream());
  item.set_kind(event_store::v1::STREAM_KIND_ENTITY);
  item.mutable_expected()->set_revision(work.before->revision);
  item.mutable_expected()->set_event_id(work.before->event_id);
  item.set_op_id(work.pending.operation().op_id());
  item.set_request_hash(work.pending.operation().request_hash());
  item.set_event_id(work.next->event_id);
  item.set_meta(std::move(work.meta));
  item.set_data(work.next->data);
  item.set_tombstone(work.next->deleted);
  item.set_atomic_group(group);
}

bool CommitRun::Append() {
  AppendRequest request;
  request.mutable_items()->Reserve(static_cast<int>(works_.size()));
  std::vector<Work*> works;
  works.reserve(works_.size());
  for (Work& work : works_) {
    if (work.stage != Stage::kReady && work.stage != Stage::kOpening) continue;
    if (request.items_size() + work.items() > kAppendItemsMax) break;  // The rest comes next.
    if (work.for_conflict()) {
      AddConflictItems(work, request);
    } else {
      SetAppendItem(work, atomic_ ? 1 : 0, *request.add_items());
    }
    works.push_back(&work);
    work.line->chain_broken = false;
  }
  if (works.empty()) {
    questions_.bytes_in_work = 0;  // What was in work came to nothing.
    return false;
  }
  const int items = request.items_size();
  Expect(1, [this, items, works = std::move(works)] { OnAppended(works, items); });
  tools_.log.Append(std::move(request),
                    [self = shared_from_this()](absl::StatusOr<AppendResponse> appended) {
                      self->appended_ = std::move(appended);
                      self->Arrive();
                    });
  Arrive();
  return true;
}

}  // namespace bdcsync::version
