#include "services/gateway/pipeline/commit_pipeline.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "libs/entity/key_hash.h"
#include "services/gateway/pipeline/actor.h"
#include "services/gateway/pipeline/left_out_data.h"
#include "services/gateway/pipeline/pipeline_metrics.h"
#include "services/gateway/protocol/operation_message.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

constexpr absl::Duration kFailureInterval = absl::Seconds(1);
constexpr absl::Duration kOverloadRetryAfter = absl::Milliseconds(500);

// Nothing is known of the operation: it is repeated with its op_id, which is safe.
bool Unknown(const version::v1::CommitResult& result) {
  return result.error().code() == InfoOf(Reason::kUnavailable).name ||
         result.error().code() == InfoOf(Reason::kDeadlineExceeded).name;
}

bool Unknown(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kCancelled;
}

size_t BytesOf(const version::v1::CommitItem& item) {
  constexpr size_t kOverheadBytes = 256;
  return item.operation().data().size() + item.operation().patch().size() +
         item.operation().text().size() + item.operation().metadata().size() + kOverheadBytes;
}

version::v1::CommitResult Rejection(const absl::Status& why) {
  version::v1::CommitResult result;
  result.set_outcome(common::v1::OUTCOME_REJECTED);
  *result.mutable_error() = ErrorOf(why);
  return result;
}

std::string EntityOf(const common::v1::EntityKey& key) {
  return absl::StrCat(key.space(), "\n", entity::StreamName(entity::ViewOf(key)));
}

// Takes the operation.
std::unique_ptr<version::v1::CommitItem> MakeItem(const Caller& caller, SubmitOptions options,
                                                  uint32_t group,
                                                  common::v1::Operation& operation) {
  auto item = std::make_unique<version::v1::CommitItem>();
  *item->mutable_actor() = ActorOf(caller);
  if (options.atomic) item->set_atomic_group(group);
  if (options.batch) item->set_batch(group);
  *item->mutable_operation() = std::move(operation);
  return item;
}

}  // namespace

struct CommitPipeline::Submission {
  std::shared_ptr<const Caller> caller;
  SubmitOptions options;
  Done done;
  absl::Duration begun;
  std::vector<sync::v1::OperationResult> results;  // With op_id and entity from the start.
  absl::InlinedVector<common::v1::OperationKind, 1> kinds;
  std::atomic<size_t> open{0};  // Operations without outcome.

  // "<session>/<id>", or the id alone for a caller without a session; empty without an id.
  std::string RequestId() const {
    std::string id = CleanRequestId(options.request_id);
    if (id.empty() || caller->session_id.empty()) return id;
    return absl::StrCat(caller->session_id, "/", id);
  }
};

CommitPipeline::CommitPipeline(PipelineDependencies dependencies, PipelineLimits limits)
    : to_(std::move(dependencies)),
      limits_(limits),
      rate_limiter_(to_.clock, limits.rate),
      failures_(to_.clock, kFailureInterval) {
  for (size_t replica = 0; replica < to_.version.replicas(); ++replica) {
    batchers_.push_back(std::make_unique<rpc::LaneBatcher<Pending>>(
        limits_.batcher, [](const Pending& pending) { return BytesOf(*pending.item); },
        [this, replica](Batch batch, BatchDone done) {
          Send(replica, std::move(batch), std::move(done));
        }));
  }
}

CommitPipeline::~CommitPipeline() = default;

size_t CommitPipeline::queued() const {
  size_t queued = 0;
  for (const auto& batcher : batchers_) queued += batcher->queued();
  return queued;
}

bool CommitPipeline::idle() const {
  for (const auto& batcher : batchers_) {
    if (!batcher->idle()) return false;
  }
  return reading_ == 0;  // After the batches, which begin to read before they are done.
}

void CommitPipeline::Submit(std::shared_ptr<const Caller> caller,
                            std::vector<common::v1::Operation> operations, SubmitOptions options,
                            Done done) {
  auto submission = std::make_shared<Submission>();
  submission->caller = std::move(caller);
  submission->options = std::move(options);
  submission->done = std::move(done);
  submission->begun = to_.clock.Monotonic();
  submission->results.resize(operations.size());
  submission->kinds.resize(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    common::v1::Operation& operation = operations[i];
    common::v1::EntityKey& key = *operation.mutable_entity();
    if (key.space().empty()) key.set_space(OwnSpace(*submission->caller));
    if (key.branch().empty()) key.set_branch(std::string(entity::kMainBranch));
    if (operation.op_id().empty()) {
      operation.set_op_id(MakeTimeOrderedUuid(to_.clock.Now(), to_.random));
    }
    submission->results[i].set_op_id(operation.op_id());
    *submission->results[i].mutable_entity() = key;
    submission->kinds[i] = operation.kind();
  }
  submission->open = operations.size() + 1;  // One more until all are under way.
  if (const Refusals refusals = Admit(*submission, operations); !refusals.empty()) {
    for (size_t i = 0; i < refusals.size(); ++i) {
      submission->results[i].set_outcome(common::v1::OUTCOME_REJECTED);
      *submission->results[i].mutable_error() = ErrorOf(refusals[i]);
    }
    FinishSubmission(*submission);
    return;
  }
  for (Batch& group : Sort(submission, std::move(operations))) Enqueue(std::move(group));
  if (submission->open.fetch_sub(1) == 1) FinishSubmission(*submission);
}

// What decides on the submission as a whole.
CommitPipeline::Refusals CommitPipeline::Admit(Submission& submission,
                                               std::vector<common::v1::Operation>& operations) {
  if (operations.size() > limits_.operations_per_batch_max) {
    return Refusals(
        operations.size(),
        MakeErrorAt(Reason::kTooLarge, "operations",
                    absl::StrCat("at most ", limits_.operations_per_batch_max, " operations")));
  }
  const Caller& caller = *submission.caller;
  const absl::Status taken =
      rate_limiter_.Take(absl::StrCat(caller.user_id, "\n", caller.device_id), operations.size());
  if (!taken.ok()) {
    to_.metrics.rate_limited.Add();
    return Refusals(operations.size(), taken);
  }
  return submission.options.atomic ? AdmitAtomic(submission, operations) : Refusals();
}

// Those that are wrong say why, and the others that they are refused for it.
CommitPipeline::Refusals CommitPipeline::AdmitAtomic(
    const Submission& submission, std::vector<common::v1::Operation>& operations) {
  for (const common::v1::Operation& operation : operations) {
    if (operation.entity().space() != operations.front().entity().space()) {
      return Refusals(operations.size(),
                      MakeErrorAt(Reason::kInvalidArgument, "space",
                                  "all entities of an atomic batch must be in one space"));
    }
  }
  Refusals refusals;
  for (common::v1::Operation& operation : operations) {
    refusals.push_back(Check(submission, operation));
  }
  const auto is_ok = [](const absl::Status& status) { return status.ok(); };
  if (std::all_of(refusals.begin(), refusals.end(), is_ok)) return {};
  std::replace_if(
      refusals.begin(), refusals.end(), is_ok,
      MakeError(Reason::kDependsOnRejected, "another operation of the atomic batch was refused"));
  return refusals;
}

absl::Status CommitPipeline::Check(const Submission& submission, common::v1::Operation& operation) {
  RETURN_IF_ERROR(CheckOperation(operation, limits_.operation, to_.clock.Now()));
  if (AccessTo(*submission.caller, operation.entity().space()) != Access::kWrite) {
    return MakeErrorAt(Reason::kForbidden, "space", "this space may not be written");
  }
  for (OperationMiddleware* middleware : to_.middleware) {
    RETURN_IF_ERROR(middleware->Before(*submission.caller, operation));
  }
  return absl::OkStatus();
}

// Refuses what is wrong and what depends on it; the rest by space, in order.
std::vector<CommitPipeline::Batch> CommitPipeline::Sort(
    const std::shared_ptr<Submission>& submission, std::vector<common::v1::Operation> operations) {
  std::vector<Batch> groups;
  absl::flat_hash_map<absl::string_view, size_t> places;  // Of the spaces; keys lie in the items.
  const uint32_t group = next_group_.fetch_add(2) + 1;    // Odd, hence never 0.
  absl::flat_hash_set<std::string> refused;
  for (size_t i = 0; i < operations.size(); ++i) {
    common::v1::Operation& operation = operations[i];
    Pending pending{.submission = submission, .index = i, .group = group};
    absl::Status allowed;
    if (!submission->options.atomic) allowed = Check(*submission, operation);
    if (allowed.ok() && !refused.empty() && refused.contains(EntityOf(operation.entity()))) {
      allowed = MakeError(Reason::kDependsOnRejected, "an earlier operation on it was refused");
    }
    if (!allowed.ok()) {
      if (submission->options.batch) refused.insert(EntityOf(operation.entity()));
      Finish(pending, Rejection(allowed));
      continue;
    }
    operation.set_request_hash(RequestHash(operation));
    pending.item = MakeItem(*submission->caller, submission->options, group, operation);
    size_t place = 0;
    if (operations.size() > 1) {
      const absl::string_view space = pending.item->operation().entity().space();
      place = places.try_emplace(space, groups.size()).first->second;
    }
    if (place == groups.size()) groups.emplace_back();
    groups[place].push_back(std::move(pending));
  }
  return groups;
}

// A space has its replica, an entity its lane: the version service knows the head of what it wrote.
void CommitPipeline::Enqueue(Batch group) {
  size_t replica = 0;
  if (batchers_.size() > 1) {
    replica = StableHash64(group.front().item->operation().entity().space()) % batchers_.size();
  }
  rpc::LaneBatcher<Pending>::Lanes lanes;
  for (const Pending& pending : group) {
    lanes.push_back(entity::HashOf(entity::ViewOf(pending.item->operation().entity())));
  }
  if (batchers_[replica]->SubmitGroup(std::move(lanes), std::move(group))) return;
  RejectAll(group, MakeRetryableError(Reason::kUnavailable, kOverloadRetryAfter,
                                      "too many operations wait for their commit"));
}

// Operations go behind those of their space that are stored already.
void CommitPipeline::Send(size_t replica, Batch batch, BatchDone done) {
  const auto held =
      std::stable_partition(batch.begin(), batch.end(), [this](const Pending& pending) {
        return !to_.spool.Holds(pending.item->operation().entity().space());
      });
  Batch to_store(std::make_move_iterator(held), std::make_move_iterator(batch.end()));
  batch.erase(held, batch.end());
  auto to_commit = std::make_shared<Batch>(std::move(batch));
  if (to_store.empty()) {
    Commit(replica, std::move(to_commit), std::move(done));
  } else if (to_commit->empty()) {
    Store(std::move(to_store), std::move(done));
  } else {
    Store(std::move(to_store),
          [this, replica, to_commit = std::move(to_commit), done = std::move(done)]() mutable {
            Commit(replica, std::move(to_commit), std::move(done));
          });
  }
}

void CommitPipeline::Commit(size_t replica, std::shared_ptr<Batch> batch, BatchDone done) {
  auto request = std::make_shared<version::v1::CommitRequest>();
  request->mutable_items()->Reserve(static_cast<int>(batch->size()));
  for (Pending& pending : *batch) request->mutable_items()->AddAllocated(pending.item.release());
  to_.metrics.batch_items.Observe(static_cast<double>(batch->size()));
  const absl::Duration begun = to_.clock.Monotonic();
  const CallScope scope(TraceOf(*batch));
  to_.version.Commit(
      replica, request,
      [this, replica, begun, request, batch = std::move(batch),
       done = std::move(done)](absl::StatusOr<version::v1::CommitResponse> response) mutable {
        to_.metrics.commit_seconds.Observe(to_.clock.Monotonic() - begun);
        OnCommitted(replica, batch, *request, std::move(response), std::move(done));
      });
}

// Of a batch whose operations may come from several requests. It has no deadline but the call's
// own: what was accepted is brought to an outcome, however patient its caller is.
CallTrace CommitPipeline::TraceOf(const Batch& batch) {
  const Submission* only = batch.front().submission.get();
  for (const Pending& pending : batch) {
    if (pending.submission.get() != only) only = nullptr;
  }
  CallTrace trace;
  if (only != nullptr) trace.request_id = only->RequestId();
  if (trace.request_id.empty()) trace = TraceOfBatch({&trace}, to_.random);
  if (only != nullptr || !to_.logger.Enabled(log::Level::kDebug)) return trace;
  std::vector<std::string> ids;
  for (const Pending& pending : batch) {
    std::string id = pending.submission->RequestId();
    if (id.empty()) id = pending.submission->results[pending.index].op_id();
    if (ids.empty() || ids.back() != id) ids.push_back(std::move(id));
  }
  to_.logger.Debug("requests joined in a batch",
                   {{"request_id", trace.request_id}, {"request_ids", absl::StrJoin(ids, ",")}});
  return trace;
}

void CommitPipeline::OnCommitted(size_t replica, const std::shared_ptr<Batch>& batch,
                                 const version::v1::CommitRequest& request,
                                 absl::StatusOr<version::v1::CommitResponse> response,
                                 BatchDone done) {
  if (response.ok() && response->results_size() != static_cast<int>(batch->size())) {
    response = MakeError(Reason::kInternal, "the version service left results out");
  }
  if (!response.ok()) {
    to_.metrics.commit_failures.Add();
    LogFailure(*batch, response.status());
  }
  if (!response.ok() && !Unknown(response.status())) {
    RejectAll(*batch, response.status());
    done();
    return;
  }
  Batch unknown;
  std::shared_ptr<LeftOut> left_out;  // Shared with the read that is under way; hardly ever any.
  for (size_t i = 0; i < batch->size(); ++i) {
    Pending& pending = (*batch)[i];
    const int place = static_cast<int>(i);
    const bool known = response.ok() && !Unknown(response->results(place));
    if (known && !response->results(place).data_left_out()) {
      Finish(pending, std::move(*response->mutable_results(place)));
      continue;
    }
    pending.item = std::make_unique<version::v1::CommitItem>(request.items(place));
    if (!known) {
      unknown.push_back(std::move(pending));
      continue;
    }
    if (left_out == nullptr) left_out = std::make_shared<LeftOut>(LeftOut{.replica = replica});
    left_out->results.push_back(std::move(*response->mutable_results(place)));
    left_out->operations.push_back(std::move(pending));
  }
  if (left_out != nullptr) {
    to_.metrics.results_left_out.Add(static_cast<double>(left_out->operations.size()));
    ++reading_;
    ReadNext(left_out);
  }
  if (unknown.empty()) {
    done();
  } else {
    Store(std::move(unknown), std::move(done));
  }
}

// Their order needs no batch in flight any more, since they are committed: nobody waits for them.
void CommitPipeline::ReadNext(const std::shared_ptr<LeftOut>& left_out) {
  if (left_out->next == left_out->operations.size()) {
    --reading_;
    return;
  }
  const size_t next = left_out->next++;
  ReadLeftOut(to_.version, left_out->replica, *left_out->operations[next].item,
              std::move(left_out->results[next]),
              [this, left_out, next](version::v1::CommitResult result) {
                if (!Unknown(result)) {
                  Finish(left_out->operations[next], std::move(result));
                  ReadNext(left_out);
                  return;
                }
                // The others would fail as well, each after its time.
                const auto first = left_out->operations.begin() + static_cast<ptrdiff_t>(next);
                Store(Batch(std::make_move_iterator(first),
                            std::make_move_iterator(left_out->operations.end())),
                      [this] { --reading_; });
              });
}

void CommitPipeline::LogFailure(const Batch& batch, const absl::Status& why) {
  const auto held_back = failures_.Allow();
  if (!held_back.has_value()) return;
  const Pending& first = batch.front();
  to_.logger.Warn("operations could not be committed",
                  {{"request_id", CallScope::Current().request_id},
                   {"op_id", first.submission->results[first.index].op_id()},
                   {"operations", batch.size()},
                   {"error", why.message()},
                   {"suppressed", *held_back}});
}

void CommitPipeline::Store(Batch batch, BatchDone done) {
  auto stored = std::make_shared<std::vector<Batch>>();
  std::vector<StoreAndForward::Group> groups;
  for (Pending& pending : batch) {
    const bool joins = !stored->empty() && stored->back().back().group == pending.group &&
                       groups.back().items.back().operation().entity().space() ==
                           pending.item->operation().entity().space();
    if (!joins) {
      stored->emplace_back();
      groups.push_back({pending.submission->caller, {}});
    }
    groups.back().items.push_back(std::move(*pending.item));
    stored->back().push_back(std::move(pending));
  }
  to_.spool.Store(std::move(groups), [this, stored, done = std::move(done)](
                                         std::vector<absl::Status> statuses) mutable {
    for (size_t i = 0; i < stored->size(); ++i) {
      if (!statuses[i].ok()) {
        RejectAll((*stored)[i], statuses[i]);
        continue;
      }
      version::v1::CommitResult queued;
      queued.set_outcome(common::v1::OUTCOME_QUEUED);
      for (Pending& pending : (*stored)[i]) Finish(pending, queued);
    }
    done();
  });
}

void CommitPipeline::RejectAll(Batch& batch, const absl::Status& why) {
  for (Pending& pending : batch) Finish(pending, Rejection(why));
}

void CommitPipeline::Finish(Pending& pending, version::v1::CommitResult result) {
  Submission& submission = *pending.submission;
  FillResult(std::move(result), submission.results[pending.index]);
  if (submission.open.fetch_sub(1) == 1) FinishSubmission(submission);
}

void CommitPipeline::FinishSubmission(Submission& submission) {
  to_.metrics.operation_seconds.Observe(to_.clock.Monotonic() - submission.begun);
  const std::string request_id = to_.middleware.empty() ? "" : submission.RequestId();
  for (size_t i = 0; i < submission.results.size(); ++i) {
    const sync::v1::OperationResult& result = submission.results[i];
    to_.metrics.operations(result.outcome()).Add();
    for (OperationMiddleware* middleware : to_.middleware) {
      middleware->After(*submission.caller, request_id, submission.kinds[i], result);
    }
  }
  submission.done(std::move(submission.results));
}

void FillResult(version::v1::CommitResult from, sync::v1::OperationResult& to) {
  to.set_outcome(from.outcome());
  to.set_version_id(std::move(*from.mutable_version_id()));
  to.set_revision(from.revision());
  if (from.has_position()) {
    to.set_cursor(entity::EncodeCursor({from.position().epoch(), from.position().seq()}));
  }
  to.set_data(std::move(*from.mutable_data()));
  to.set_deleted(from.deleted());
  to.set_text(std::move(*from.mutable_text()));
  to.set_conflict_id(std::move(*from.mutable_conflict_id()));
  if (!from.branch().empty()) {
    to.mutable_entity()->set_branch(std::move(*from.mutable_branch()));
  }
  if (from.has_error()) *to.mutable_error() = std::move(*from.mutable_error());
}

}  // namespace bdcsync::gateway
