#include "services/version/conflict_reader.h"

#include <atomic>
#include <memory>
#include <utility>

#include "libs/base/errors.h"
#include "libs/entity/version_id.h"

namespace bdcsync::version {
namespace {

using conflict::v1::Conflict;
using event_store::v1::Head;
using event_store::v1::ReadHeadsRequest;
using event_store::v1::ReadHeadsResponse;
using event_store::v1::ReadStreamRequest;
using event_store::v1::ReadStreamResponse;

constexpr int kHeads = 3;  // Facts, main, branch.

// One Read while its questions are under way.
class ReadCall : public std::enable_shared_from_this<ReadCall> {
 public:
  ReadCall(EventLog& log, const Conflict& conflict, ConflictReader::Callback callback)
      : log_(log), conflict_(conflict), callback_(std::move(callback)) {}

  void Start() {
    states_.base = states_.theirs = states_.ours = states_.branch = NoState();
    const auto base = entity::ParseVersionId(conflict_.base_version_id());
    if (base.has_value()) base_id_ = *base;
    waiting_.store(base.has_value() ? 2 : 1);
    if (base.has_value()) ReadBase(/*branch=*/"");
    ReadHeadsRequest request;
    SetFactsStream(conflict_.entity(), *request.add_streams());
    SetBranchStream(conflict_.entity(), "", *request.add_streams());
    SetBranchStream(conflict_.entity(), conflict_.branch(), *request.add_streams());
    log_.ReadHeads(std::move(request),
                   [self = shared_from_this()](absl::StatusOr<ReadHeadsResponse> heads) {
                     self->heads_ = std::move(heads);
                     self->Arrive();
                   });
  }

 private:
  void ReadBase(const std::string& branch) { ReadOne(branch, base_id_.revision, base_); }

  void ReadOne(const std::string& branch, int64_t revision,
               absl::StatusOr<ReadStreamResponse>& into) {
    ReadStreamRequest request;
    SetBranchStream(conflict_.entity(), branch, *request.mutable_stream());
    request.set_from_revision(revision);
    request.set_limit(1);
    log_.ReadStream(std::move(request),
                    [self = shared_from_this(), &into](absl::StatusOr<ReadStreamResponse> page) {
                      into = std::move(page);
                      self->Arrive();
                    });
  }

  void Arrive() {
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const absl::Status status = std::exchange(asked_again_, true) ? TakeRest() : TakeFirst();
    if (!status.ok()) {
      callback_(status);
    } else if (waiting_.load(std::memory_order_relaxed) == 0) {
      callback_(std::move(states_));
    } else {
      AskRest();
    }
  }

  // Takes the heads and the base; what is still missing is asked for.
  absl::Status TakeFirst() {
    if (!heads_.ok()) return heads_.status();
    if (heads_->heads_size() != kHeads) {
      return MakeError(Reason::kUnavailable, "the log cannot be read");
    }
    if (heads_->heads(0).has_event()) states_.facts = FactsHeadAfter(heads_->heads(0).event());
    if (heads_->heads(1).has_event()) states_.theirs = StateAfter(heads_->heads(1).event());
    if (heads_->heads(2).has_event()) states_.branch = StateAfter(heads_->heads(2).event());
    states_.ours = states_.branch;
    reads_seal_ = states_.branch->sealed && states_.branch->revision > 1;
    if (base_id_.revision == 0) return CountRest();
    if (!base_.ok()) return base_.status();
    if (!TakeBase()) reads_base_ = states_.branch->exists();
    return CountRest();
  }

  absl::Status CountRest() {
    waiting_.store((reads_seal_ ? 1 : 0) + (reads_base_ ? 1 : 0), std::memory_order_relaxed);
    return absl::OkStatus();
  }

  // The change was made on what its own batch had made, which is on the branch.
  void AskRest() {
    const bool reads_base = reads_base_;
    if (reads_seal_) ReadOne(conflict_.branch(), states_.branch->revision - 1, before_seal_);
    if (reads_base) ReadBase(conflict_.branch());
  }

  absl::Status TakeRest() {
    if (reads_seal_) {
      if (!before_seal_.ok()) return before_seal_.status();
      if (before_seal_->events_size() == 1) states_.ours = StateAfter(before_seal_->events(0));
    }
    if (reads_base_) {
      if (!base_.ok()) return base_.status();
      TakeBase();
    }
    return absl::OkStatus();
  }

  // False when it is not the version that is looked for.
  bool TakeBase() {
    if (base_->events_size() != 1) return false;
    const event_store::v1::Event& event = base_->events(0);
    if (event.revision() != base_id_.revision || event.event_id() != base_id_.event_id) {
      return false;
    }
    states_.base = StateAfter(event);
    return true;
  }

  EventLog& log_;
  const Conflict conflict_;
  ConflictReader::Callback callback_;
  entity::VersionId base_id_;
  ConflictStates states_;
  bool asked_again_ = false;
  bool reads_seal_ = false;
  bool reads_base_ = false;
  std::atomic<int> waiting_{0};
  // Answers; each is written by one callback before it arrives.
  absl::StatusOr<ReadHeadsResponse> heads_;
  absl::StatusOr<ReadStreamResponse> base_;
  absl::StatusOr<ReadStreamResponse> before_seal_;
};

}  // namespace

void ConflictReader::Read(const Conflict& conflict, Callback callback) {
  std::make_shared<ReadCall>(log_, conflict, std::move(callback))->Start();
}

}  // namespace bdcsync::version
