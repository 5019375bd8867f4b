#include "services/version/closing_run.h"

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/entity/version_id.h"
#include "libs/json/parse.h"
#include "libs/rpc/status.h"
#include "services/version/side.h"

namespace bdcsync::version {
namespace {

using conflict::v1::Conflict;
using conflict::v1::Fact;
using event_store::v1::AppendRequest;
using event_store::v1::AppendResponse;
using event_store::v1::GetOperationsRequest;
using event_store::v1::GetOperationsResponse;
using event_store::v1::ReadStreamRequest;
using event_store::v1::ReadStreamResponse;
using event_store::v1::StoredOperation;

// The newest facts of an entity that are searched for one that the log does not find by its op_id.
constexpr int kFactsSearchedMax = 1000;

// The same for the same decision, whoever takes it.
uint64_t HashOf(const v1::CloseItem& item) {
  uint64_t hash = StableHash64("", static_cast<uint64_t>(item.cause()));
  for (const conflict::v1::Choice& choice : item.choices()) {
    hash = StableHash64(choice.value(), StableHash64(choice.choice(), hash));
    for (const std::string& path : choice.paths()) hash = StableHash64(path, hash);
  }
  return hash;
}

// Notes in the places what was chosen for them, so that the fact tells it too.
void NoteChoices(const google::protobuf::RepeatedPtrField<conflict::v1::Decision>& decisions,
                 Conflict& conflict) {
  for (conflict::v1::OpenPlace& place : *conflict.mutable_places()) {
    for (const conflict::v1::Decision& decision : decisions) {
      if (decision.path() != place.decision().path()) continue;
      place.mutable_decision()->set_chosen(decision.chosen());
      place.mutable_decision()->set_result(decision.result());
    }
  }
}

// The decisions that the places tell of, for the record of the merge, if there is one.
void TellChoices(const Conflict& conflict, Fact& fact) {
  if (conflict.closing_version_id().empty()) return;
  fact.set_closing_op_id(ClosingOperationId(conflict.conflict_id()));
  for (const conflict::v1::OpenPlace& place : conflict.places()) {
    if (!place.decision().chosen().empty()) *fact.add_decisions() = place.decision();
  }
}

bool IsClosed(const Conflict& conflict) {
  return conflict.state() >= conflict::v1::CONFLICT_STATE_RESOLVED;
}

// Whether the merge leaves the head as it is.
bool IsHead(const conflict::v1::Side& merged, const EntityState& head) {
  if (!merged.exists() || !head.alive()) return merged.exists() == head.alive();
  if (merged.data() == head.data) return true;
  const absl::StatusOr<json::Value> a =
      json::Parse(merged.data(), {.depth_max = json::kDepthCeiling});
  const absl::StatusOr<json::Value> b = json::Parse(head.data, {.depth_max = json::kDepthCeiling});
  return a.ok() && b.ok() && *a == *b;
}

}  // namespace

ClosingRun::ClosingRun(const ConflictTools& tools, const v1::CloseItem& item, Conflict record,
                       v1::CloseResult& result, absl::AnyInvocable<void()> done)
    : tools_(tools),
      item_(item),
      conflict_(std::move(record)),
      result_(result),
      done_(std::move(done)),
      reader_(tools.log),
      decision_hash_(HashOf(item)) {}

void ClosingRun::Look() {
  if (++attempts_ > kClosingAttemptsMax) {
    Fail(MakeError(Reason::kUnavailable, "too many writers on this conflict; it may be closed"));
    return;
  }
  reader_.Read(conflict_, [self = shared_from_this()](absl::StatusOr<ConflictStates> states) {
    self->OnStates(std::move(states));
  });
}

void ClosingRun::OnStates(absl::StatusOr<ConflictStates> states) {
  if (!states.ok()) {
    Fail(states.status());
    return;
  }
  states_ = *std::move(states);
  const Conflict* open = states_.facts.Find(conflict_.conflict_id());
  if (open == nullptr) {
    FindEnd();
    return;
  }
  conflict_ = WithRecord(*open, conflict_);
  OnOpen();
}

void ClosingRun::OnOpen() {
  switch (item_.cause()) {
    case v1::CLOSE_CAUSE_DECIDED:
    case v1::CLOSE_CAUSE_DEADLINE:
    case v1::CLOSE_CAUSE_CHECK:
      AskDesk();
      return;
    case v1::CLOSE_CAUSE_CANCELLED:
      Conclude(conflict::v1::CONFLICT_STATE_CANCELLED, /*with_version=*/false);
      return;
    default:
      Fail(MakeErrorAt(Reason::kInvalidArgument, "cause", "say why it is to be closed"));
  }
}

void ClosingRun::FindEnd() {
  GetOperationsRequest request;
  for (const std::string& op_id :
       {ClosingFactId(conflict_.conflict_id()), ClosingOperationId(conflict_.conflict_id())}) {
    event_store::v1::OperationKey& key = *request.add_operations();
    key.set_space(conflict_.entity().space());
    key.set_op_id(op_id);
  }
  tools_.log.GetOperations(
      std::move(request),
      [self = shared_from_this()](absl::StatusOr<GetOperationsResponse> operations) {
        self->OnEnd(std::move(operations));
      });
}

void ClosingRun::OnEnd(absl::StatusOr<GetOperationsResponse> operations) {
  if (!operations.ok() || operations->operations_size() != 2) {
    Fail(operations.ok() ? MakeError(Reason::kUnavailable, "the log cannot be read")
                         : operations.status());
  } else if (operations->operations(0).has_event()) {
    OnEndFound(operations->operations(0), operations->operations(1));
  } else if (IsClosed(conflict_)) {
    *result_.mutable_conflict() = conflict_;
    if (item_.cause() == v1::CLOSE_CAUSE_CHECK) {
      Finish();
    } else {
      Fail(MakeError(Reason::kPreconditionFailed, "the conflict was closed before"));
    }
  } else if (states_.branch->exists()) {
    SearchFacts();
  } else {
    OnNeverOpened();
  }
}

void ClosingRun::OnEndFound(const StoredOperation& fact, const StoredOperation& merge) {
  v1::ConflictFact closed;
  closed.ParseFromString(fact.event().meta());
  closed.mutable_conflict()->set_closed_ms(fact.event().time_ms());
  const bool was_told = IsClosed(conflict_);
  conflict_ = WithRecord(closed.conflict(), conflict_);
  *result_.mutable_conflict() = conflict_;
  const bool same = fact.request_hash() == decision_hash_;
  if (same && merge.has_event()) {
    result_.set_version_id(conflict_.closing_version_id());
    result_.set_revision(merge.event().revision());
    result_.mutable_position()->set_epoch(merge.epoch());
    result_.mutable_position()->set_seq(merge.event().seq());
  }
  if (!same && item_.cause() != v1::CLOSE_CAUSE_CHECK) {
    rpc::ToProto(MakeError(Reason::kPreconditionFailed, "the conflict was closed before"),
                 *result_.mutable_error());
  }
  if (was_told) {
    Finish();
  } else {
    Fact fact = FactOf(conflict_);
    TellChoices(conflict_, fact);
    TellAndFinish(std::move(fact));
  }
}

void ClosingRun::OnNeverOpened() {
  *result_.mutable_conflict() = conflict_;
  if (item_.cause() != v1::CLOSE_CAUSE_CHECK) {
    Fail(MakeError(Reason::kUnavailable, "the change is not on its branch yet"));
    return;
  }
  conflict_.set_state(conflict::v1::CONFLICT_STATE_OPENING);
  TellAndFinish(FactOf(conflict_));
}

void ClosingRun::SearchFacts() {
  ReadStreamRequest request;
  SetFactsStream(conflict_.entity(), *request.mutable_stream());
  request.set_backward(true);
  request.set_without_data(true);
  request.set_limit(kFactsSearchedMax);
  tools_.log.ReadStream(std::move(request),
                        [self = shared_from_this()](absl::StatusOr<ReadStreamResponse> facts) {
                          self->OnFacts(std::move(facts));
                        });
}

void ClosingRun::OnFacts(absl::StatusOr<ReadStreamResponse> facts) {
  if (!facts.ok()) {
    Fail(facts.status());
    return;
  }
  for (const event_store::v1::Event& event : facts->events()) {
    v1::ConflictFact fact;
    fact.ParseFromString(event.meta());
    if (fact.conflict().conflict_id() != conflict_.conflict_id()) continue;
    if (!IsClosed(fact.conflict())) break;
    StoredOperation found;
    *found.mutable_event() = event;
    OnEndFound(found, StoredOperation());
    return;
  }
  Fail(MakeError(Reason::kInternal, "the log has the conflict's branch, but no fact about it"));
}

void ClosingRun::AskDesk() {
  conflict::v1::DecideRequest request;
  conflict::v1::DecideItem& item = *request.add_items();
  item.set_conflict_id(conflict_.conflict_id());
  SetSide(*states_.base, *item.mutable_base());
  SetSide(*states_.theirs, *item.mutable_theirs());
  SetSide(*states_.ours, *item.mutable_ours());
  item.set_with_fallbacks(item_.cause() == v1::CLOSE_CAUSE_DEADLINE);
  if (item_.cause() == v1::CLOSE_CAUSE_DECIDED) {
    *item.mutable_choices() = item_.choices();
    item.set_keep(true);
  }
  tools_.desk.Decide(std::move(request), [self = shared_from_this()](
                                             absl::StatusOr<conflict::v1::DecideResponse> decided) {
    self->OnDecided(std::move(decided));
  });
}

void ClosingRun::OnDecided(absl::StatusOr<conflict::v1::DecideResponse> decided) {
  if (!decided.ok() || decided->results_size() != 1) {
    Fail(MakeError(Reason::kUnavailable, "conflicts cannot be merged now"));
    return;
  }
  decided_ = std::move(*decided->mutable_results(0));
  if (decided_.has_error()) {
    const absl::Status error = rpc::FromProto(decided_.error());
    if (ReasonOf(error) == Reason::kPreconditionFailed) {
      Look();  // It was closed since: the log tells how.
      return;
    }
    *result_.mutable_conflict() = conflict_;
    Fail(error);
    return;
  }
  conflict_ = WithRecord(conflict_, decided_.conflict());
  if (item_.cause() == v1::CLOSE_CAUSE_CHECK) {
    OnChecked();
  } else if (!decided_.open().empty()) {
    *result_.mutable_conflict() = conflict_;
    *result_.mutable_open() = decided_.open();
    Finish();
  } else {
    const bool nothing_to_write = !decided_.merged().exists() && !states_.theirs->alive();
    Conclude(item_.cause() == v1::CLOSE_CAUSE_DECIDED ? conflict::v1::CONFLICT_STATE_RESOLVED
                                                      : conflict::v1::CONFLICT_STATE_EXPIRED,
             !nothing_to_write);
  }
}

void ClosingRun::OnChecked() {
  if (decided_.open().empty() && IsHead(decided_.merged(), *states_.theirs)) {
    Conclude(conflict::v1::CONFLICT_STATE_SUPERSEDED, /*with_version=*/false);
    return;
  }
  *result_.mutable_conflict() = conflict_;
  *result_.mutable_open() = decided_.open();
  TellAndFinish(FactOf(conflict_));
}

void ClosingRun::Conclude(conflict::v1::ConflictState state, bool with_version) {
  closing_.conflict = conflict_;
  closing_.conflict.set_state(state);
  NoteChoices(decided_.decisions(), closing_.conflict);
  closing_.conflict.set_closed_by(item_.actor().user_id());
  closing_.conflict.set_closed_ms(absl::ToUnixMillis(tools_.clock.Now()));
  closing_.facts = states_.facts;
  closing_.branch = states_.branch;
  closing_.decision_hash = decision_hash_;
  closing_.fact_event_id = tools_.random.Bits64();
  closing_.seal_event_id = tools_.random.Bits64();
  if (with_version) {
    Commit();
  } else {
    AppendEnd();
  }
}

void ClosingRun::Commit() {
  commit_.Clear();
  committed_.Clear();
  *commit_.mutable_actor() = item_.actor();
  common::v1::Operation& operation = *commit_.mutable_operation();
  operation.set_op_id(ClosingOperationId(conflict_.conflict_id()));
  operation.set_request_hash(decision_hash_);
  *operation.mutable_entity() = conflict_.entity();
  operation.mutable_entity()->clear_branch();
  operation.set_kind(decided_.merged().exists() ? common::v1::OPERATION_KIND_UPDATE
                                                : common::v1::OPERATION_KIND_DELETE);
  operation.set_data(decided_.merged().data());
  operation.set_base_version(states_.theirs->version_id());
  if (states_.ours->category != states_.base->category) {
    operation.set_category(states_.ours->category);
  }
  tools_.committer.CommitClosing(commit_, closing_, committed_,
                                 [self = shared_from_this()] { self->OnCommitted(); });
}

void ClosingRun::OnCommitted() {
  if (committed_.outcome() == common::v1::OUTCOME_MERGED) {
    result_.set_version_id(committed_.version_id());
    result_.set_revision(committed_.revision());
    *result_.mutable_position() = committed_.position();
    closing_.conflict.set_closing_version_id(committed_.version_id());
    OnClosed(committed_.time_ms());
    return;
  }
  const absl::Status error =
      committed_.has_error() ? rpc::FromProto(committed_.error()) : absl::OkStatus();
  const Reason reason = error.ok() ? Reason::kPreconditionFailed : ReasonOf(error);
  if (reason == Reason::kPreconditionFailed || reason == Reason::kOperationIdReused ||
      reason == Reason::kUnavailable) {
    Look();  // It was committed, or something else was: the log tells.
  } else {
    *result_.mutable_conflict() = conflict_;
    Fail(error);
  }
}

void ClosingRun::AppendEnd() {
  AppendRequest request;
  AddClosing(closing_, /*merge=*/"", /*group=*/1, request);
  tools_.log.Append(std::move(request),
                    [self = shared_from_this()](absl::StatusOr<AppendResponse> appended) {
                      self->OnEndAppended(std::move(appended));
                    });
}

void ClosingRun::OnEndAppended(absl::StatusOr<AppendResponse> appended) {
  const bool whole = appended.ok() && appended->results_size() == Closing::kItems;
  if (whole && appended->results(0).has_appended()) {
    OnClosed(appended->results(0).appended().time_ms());
  } else {
    Look();
  }
}

void ClosingRun::OnClosed(int64_t time_ms) {
  conflict_ = closing_.conflict;
  conflict_.set_closed_ms(time_ms);
  *result_.mutable_conflict() = conflict_;
  tools_.observer.OnConflictClosed(conflict_.state());
  Fact fact = FactOf(conflict_);
  if (!conflict_.closing_version_id().empty()) {
    *fact.mutable_decisions() = decided_.decisions();
    fact.set_closing_op_id(ClosingOperationId(conflict_.conflict_id()));
  }
  TellAndFinish(std::move(fact));
}

void ClosingRun::TellAndFinish(Fact fact) {
  // To whom it was given is no business of the log's.
  if (fact.conflict().state() == conflict::v1::CONFLICT_STATE_ASSIGNED) {
    fact.mutable_conflict()->set_state(conflict::v1::CONFLICT_STATE_OPEN);
  }
  std::vector<Fact> facts;
  facts.push_back(std::move(fact));
  tools_.facts.Record(std::move(facts), [self = shared_from_this()] { self->Finish(); });
}

void ClosingRun::Finish() { done_(); }

void ClosingRun::Fail(const absl::Status& error) {
  rpc::ToProto(error, *result_.mutable_error());
  Finish();
}

}  // namespace bdcsync::version
