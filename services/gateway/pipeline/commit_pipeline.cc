#include "services/gateway/pipeline/commit_pipeline.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/base/status.h"
#include "libs/entity/cursor.h"
#include "libs/entity/key.h"
#include "services/gateway/pipeline/pipeline_metrics.h"
#include "services/gateway/protocol/operation_message.h"
#include "services/gateway/protocol/server_message.h"

namespace bdcsync::gateway {
namespace {

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

}  // namespace

struct CommitPipeline::Submission {
  std::shared_ptr<const Caller> caller;
  SubmitOptions options;
  Done done;
  absl::Duration begun;
  std::vector<sync::v1::OperationResult> results;  // With op_id and entity from the start.
  std::vector<common::v1::OperationKind> kinds;
  std::atomic<size_t> open{0};  // Operations without outcome.
};

CommitPipeline::CommitPipeline(PipelineDependencies dependencies, PipelineLimits limits)
    : to_(std::move(dependencies)), limits_(limits), rate_limiter_(to_.clock, limits.rate) {
  for (size_t replica = 0; replica < to_.version.replicas(); ++replica) {
    batchers_.push_back(std::make_unique<rpc::LaneBatcher<Pending>>(
        limits_.batcher, [](const Pending& pending) { return BytesOf(pending.item); },
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
  return true;
}

void CommitPipeline::Submit(std::shared_ptr<const Caller> caller,
                            std::vector<common::v1::Operation> operations, SubmitOptions options,
                            Done done) {
  auto submission = std::make_shared<Submission>();
  submission->caller = std::move(caller);
  submission->options = options;
  submission->done = std::move(done);
  submission->begun = to_.clock.Monotonic();
  submission->results.resize(operations.size());
  submission->kinds.resize(operations.size());
  for (size_t i = 0; i < operations.size(); ++i) {
    common::v1::Operation& operation = operations[i];
    common::v1::EntityKey& key = *operation.mutable_entity();
    if (key.space().empty()) key.set_space(OwnSpace(*submission->caller));
    if (key.branch().empty()) key.set_branch(std::string(entity::kMainBranch));
    if (operation.op_id().empty()) operation.set_op_id(MakeUuid(to_.random));
    submission->results[i].set_op_id(operation.op_id());
    *submission->results[i].mutable_entity() = key;
    submission->kinds[i] = operation.kind();
  }
  submission->open = operations.size() + 1;  // One more until all are under way.
  if (const absl::Status admitted = Admit(*submission, operations); !admitted.ok()) {
    for (sync::v1::OperationResult& result : submission->results) {
      result.set_outcome(common::v1::OUTCOME_REJECTED);
      *result.mutable_error() = ErrorOf(admitted);
    }
    FinishSubmission(*submission);
    return;
  }
  for (auto& [space, group] : Sort(submission, std::move(operations))) Enqueue(std::move(group));
  if (submission->open.fetch_sub(1) == 1) FinishSubmission(*submission);
}

// What decides on the submission as a whole.
absl::Status CommitPipeline::Admit(Submission& submission,
                                   std::vector<common::v1::Operation>& operations) {
  if (operations.size() > limits_.operations_per_batch_max) {
    return MakeErrorAt(Reason::kTooLarge, "operations",
                       absl::StrCat("at most ", limits_.operations_per_batch_max, " operations"));
  }
  const Caller& caller = *submission.caller;
  absl::Status taken =
      rate_limiter_.Take(absl::StrCat(caller.user_id, "\n", caller.device_id), operations.size());
  if (!taken.ok()) {
    to_.metrics.rate_limited.Add();
    return taken;
  }
  if (!submission.options.atomic) return absl::OkStatus();
  for (const common::v1::Operation& operation : operations) {
    if (operation.entity().space() != operations.front().entity().space()) {
      return MakeErrorAt(Reason::kInvalidArgument, "atomic",
                         "all entities of an atomic batch must be in one space");
    }
  }
  for (common::v1::Operation& operation : operations) {
    RETURN_IF_ERROR(Check(submission, operation));
  }
  return absl::OkStatus();
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
CommitPipeline::Groups CommitPipeline::Sort(const std::shared_ptr<Submission>& submission,
                                            std::vector<common::v1::Operation> operations) {
  Groups groups;
  const uint32_t group = next_group_.fetch_add(2) + 1;  // Odd, hence never 0.
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
    common::v1::Actor& actor = *pending.item.mutable_actor();
    actor.set_user_id(submission->caller->user_id);
    actor.set_device_id(submission->caller->device_id);
    actor.set_session_id(submission->caller->session_id);
    if (submission->options.atomic) pending.item.set_atomic_group(group);
    if (submission->options.batch) pending.item.set_batch(group);
    Batch& in_space = groups[operation.entity().space()];
    *pending.item.mutable_operation() = std::move(operation);
    in_space.push_back(std::move(pending));
  }
  return groups;
}

void CommitPipeline::Enqueue(Batch group) {
  const uint64_t lane = StableHash64(group.front().item.operation().entity().space());
  if (batchers_[lane % batchers_.size()]->SubmitGroup(lane, std::move(group))) return;
  RejectAll(group, MakeRetryableError(Reason::kUnavailable, kOverloadRetryAfter,
                                      "too many operations wait for their commit"));
}

// Operations go behind those of their space that are stored already.
void CommitPipeline::Send(size_t replica, Batch batch, BatchDone done) {
  auto to_commit = std::make_shared<Batch>();
  Batch to_store;
  for (Pending& pending : batch) {
    const bool held = to_.spool.Holds(pending.item.operation().entity().space());
    (held ? to_store : *to_commit).push_back(std::move(pending));
  }
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
  for (Pending& pending : *batch) *request->add_items() = std::move(pending.item);
  to_.metrics.batch_items.Observe(static_cast<double>(batch->size()));
  const absl::Duration begun = to_.clock.Monotonic();
  const version::v1::CommitRequest& borrowed = *request;
  to_.version.Commit(
      replica, borrowed,
      [this, begun, request = std::move(request), batch = std::move(batch),
       done = std::move(done)](absl::StatusOr<version::v1::CommitResponse> response) mutable {
        to_.metrics.commit_seconds.Observe(to_.clock.Monotonic() - begun);
        for (size_t i = 0; i < batch->size(); ++i) {
          (*batch)[i].item = std::move(*request->mutable_items(static_cast<int>(i)));
        }
        OnCommitted(batch, std::move(response), std::move(done));
      });
}

void CommitPipeline::OnCommitted(const std::shared_ptr<Batch>& batch,
                                 absl::StatusOr<version::v1::CommitResponse> response,
                                 BatchDone done) {
  if (response.ok() && response->results_size() != static_cast<int>(batch->size())) {
    response = MakeError(Reason::kInternal, "the version service left results out");
  }
  if (!response.ok()) to_.metrics.commit_failures.Add();
  if (!response.ok() && !Unknown(response.status())) {
    RejectAll(*batch, response.status());
    done();
    return;
  }
  Batch unknown;
  for (size_t i = 0; i < batch->size(); ++i) {
    Pending& pending = (*batch)[i];
    if (!response.ok() || Unknown(response->results(static_cast<int>(i)))) {
      unknown.push_back(std::move(pending));
    } else {
      Finish(pending, std::move(*response->mutable_results(static_cast<int>(i))));
    }
  }
  if (unknown.empty()) {
    done();
  } else {
    Store(std::move(unknown), std::move(done));
  }
}

void CommitPipeline::Store(Batch batch, BatchDone done) {
  auto stored = std::make_shared<std::vector<Batch>>();
  std::vector<StoreAndForward::Group> groups;
  for (Pending& pending : batch) {
    const bool joins = !stored->empty() && stored->back().back().group == pending.group &&
                       groups.back().back().operation().entity().space() ==
                           pending.item.operation().entity().space();
    if (!joins) {
      stored->emplace_back();
      groups.emplace_back();
    }
    groups.back().push_back(std::move(pending.item));
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
  for (size_t i = 0; i < submission.results.size(); ++i) {
    const sync::v1::OperationResult& result = submission.results[i];
    to_.metrics.operations(result.outcome()).Add();
    for (OperationMiddleware* middleware : to_.middleware) {
      middleware->After(*submission.caller, submission.kinds[i], result);
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
  to.set_text(std::move(*from.mutable_text()));
  to.set_conflict_id(std::move(*from.mutable_conflict_id()));
  if (from.has_error()) *to.mutable_error() = std::move(*from.mutable_error());
}

}  // namespace bdcsync::gateway
