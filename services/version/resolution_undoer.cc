#include "services/version/resolution_undoer.h"

#include <memory>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/hash.h"
#include "libs/entity/key.h"
#include "libs/rpc/status.h"
#include "services/version/side.h"

namespace bdcsync::version {
namespace {

using event_store::v1::GetOperationsRequest;
using event_store::v1::GetOperationsResponse;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using event_store::v1::StoredOperation;

// What the undo is called in the log: the same for the same resolution and places.
std::string UndoIdOf(const v1::UndoResolutionRequest& request) {
  uint64_t first = StableHash64(request.op_id());
  uint64_t second = StableHash64(request.op_id(), 1);
  for (const std::string& path : request.paths()) {
    first = StableHash64(path, first);
    second = StableHash64(path, second);
  }
  return UndoOperationId(Hex64(first) + Hex64(second));
}

// One call on its way.
class UndoRun : public std::enable_shared_from_this<UndoRun> {
 public:
  UndoRun(const ConflictTools& tools, v1::UndoResolutionRequest request,
          ResolutionUndoer::Callback callback)
      : tools_(tools),
        request_(std::move(request)),
        callback_(std::move(callback)),
        undo_id_(UndoIdOf(request_)) {}

  void Start() {
    const absl::Status valid = entity::ValidateSpace(request_.space());
    if (!valid.ok() || request_.op_id().empty()) {
      callback_(valid.ok() ? MakeErrorAt(Reason::kInvalidArgument, "op_id", "say which resolution")
                           : valid);
      return;
    }
    GetOperationsRequest operations;
    for (const std::string& op_id : {request_.op_id(), undo_id_}) {
      event_store::v1::OperationKey& key = *operations.add_operations();
      key.set_space(request_.space());
      key.set_op_id(op_id);
    }
    tools_.log.GetOperations(
        std::move(operations),
        [self = shared_from_this()](absl::StatusOr<GetOperationsResponse> found) {
          self->OnOperations(std::move(found));
        });
  }

 private:
  uint64_t request_hash() const {
    return StableHash64(request_.actor().user_id(), StableHash64(request_.actor().device_id()));
  }

  void OnOperations(absl::StatusOr<GetOperationsResponse> found) {
    if (!found.ok() || found->operations_size() != 2) {
      callback_(found.ok() ? MakeError(Reason::kUnavailable, "the log cannot be read")
                           : found.status());
      return;
    }
    const StoredOperation& resolution = found->operations(0);
    v1::VersionMeta meta;
    const auto key = entity::ParseStreamName(resolution.event().stream().name());
    if (!resolution.has_event() || !key.has_value() || key->branch != entity::kMainBranch) {
      callback_(MakeErrorAt(Reason::kNotFound, "op_id", "there is no such resolution"));
      return;
    }
    entity_.set_space(request_.space());
    entity_.set_entity_type(std::string(key->type));
    entity_.set_entity_id(std::string(key->id));
    resolved_ = StateAfter(resolution.event(), meta);
    const StoredOperation& undone = found->operations(1);
    if (undone.has_event() && undone.request_hash() == request_hash()) {
      OnRepeated(undone);
    } else {
      ReadHead();
    }
  }

  void OnRepeated(const StoredOperation& undone) {
    const StatePtr state = StateAfter(undone.event());
    common::v1::SpacePosition position;
    position.set_epoch(undone.epoch());
    position.set_seq(undone.event().seq());
    Succeed(state->version_id(), state->revision, position, state->data);
  }

  void ReadHead() {
    ReadHeadsRequest heads;
    SetBranchStream(entity_, "", *heads.add_streams());
    tools_.log.ReadHeads(std::move(heads),
                         [self = shared_from_this()](absl::StatusOr<ReadHeadsResponse> answer) {
                           self->OnHead(std::move(answer));
                         });
  }

  void OnHead(absl::StatusOr<ReadHeadsResponse> answer) {
    if (!answer.ok() || answer->heads_size() != 1 || !answer->heads(0).has_event()) {
      callback_(answer.ok() ? MakeError(Reason::kUnavailable, "the log cannot be read")
                            : answer.status());
      return;
    }
    head_ = StateAfter(answer->heads(0).event());
    conflict::v1::PlanUndoRequest plan;
    plan.set_space(request_.space());
    plan.set_op_id(request_.op_id());
    SetSide(*resolved_, *plan.mutable_resolved());
    SetSide(*head_, *plan.mutable_head());
    *plan.mutable_paths() = request_.paths();
    tools_.desk.PlanUndo(
        std::move(plan),
        [self = shared_from_this()](absl::StatusOr<conflict::v1::PlanUndoResponse> planned) {
          self->OnPlanned(std::move(planned));
        });
  }

  void OnPlanned(absl::StatusOr<conflict::v1::PlanUndoResponse> planned) {
    if (!planned.ok()) {
      callback_(planned.status());
      return;
    }
    const conflict::v1::Side& merged = planned->merged();
    const bool is_head = merged.exists() == head_->alive() && merged.data() == head_->data;
    if (is_head) {
      callback_(MakeError(Reason::kPreconditionFailed, "nothing of the resolution is left"));
      return;
    }
    *commit_.mutable_actor() = request_.actor();
    common::v1::Operation& operation = *commit_.mutable_operation();
    operation.set_op_id(undo_id_);
    operation.set_request_hash(request_hash());
    *operation.mutable_entity() = entity_;
    operation.set_kind(merged.exists() ? common::v1::OPERATION_KIND_UPDATE
                                       : common::v1::OPERATION_KIND_DELETE);
    operation.set_data(merged.data());
    operation.set_base_version(head_->version_id());
    tools_.committer.CommitOwn(commit_, committed_,
                               [self = shared_from_this()] { self->OnCommitted(); });
  }

  void OnCommitted() {
    if (committed_.has_error()) {
      const absl::Status error = rpc::FromProto(committed_.error());
      callback_(ReasonOf(error) == Reason::kOperationIdReused
                    ? MakeError(Reason::kPreconditionFailed, "it was undone before")
                    : error);
      return;
    }
    const std::string& data =
        committed_.data().empty() ? commit_.operation().data() : committed_.data();
    Succeed(committed_.version_id(), committed_.revision(), committed_.position(), data);
  }

  // Notes it at conflict, then answers.
  void Succeed(const std::string& version_id, int64_t revision,
               const common::v1::SpacePosition& position, const std::string& data) {
    response_.set_version_id(version_id);
    response_.set_revision(revision);
    *response_.mutable_position() = position;
    response_.set_data(data);
    *response_.mutable_entity() = entity_;
    conflict::v1::RecordUndoneRequest undone;
    undone.set_space(request_.space());
    undone.set_op_id(request_.op_id());
    undone.set_version_id(version_id);
    undone.set_user_id(request_.actor().user_id());
    tools_.desk.RecordUndone(std::move(undone),
                             [self = shared_from_this()](
                                 const absl::StatusOr<conflict::v1::RecordUndoneResponse>& told) {
                               // A repeated request tells it again.
                               if (!told.ok()) self->tools_.observer.OnFactsLost(1, told.status());
                               self->callback_(std::move(self->response_));
                             });
  }

  const ConflictTools tools_;
  const v1::UndoResolutionRequest request_;
  ResolutionUndoer::Callback callback_;
  const std::string undo_id_;
  common::v1::EntityKey entity_;
  StatePtr resolved_;
  StatePtr head_;
  v1::CommitItem commit_;
  v1::CommitResult committed_;
  v1::UndoResolutionResponse response_;
};

}  // namespace

void ResolutionUndoer::Undo(v1::UndoResolutionRequest request, Callback callback) {
  std::make_shared<UndoRun>(tools_, std::move(request), std::move(callback))->Start();
}

}  // namespace bdcsync::version
