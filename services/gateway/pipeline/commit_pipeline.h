// The way of every write: validate, authorise, rate-limit, middleware, then commit in batches that
// keep the order of each space, or store and forward when the version service is away. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "libs/base/call_trace.h"
#include "libs/base/clock.h"
#include "libs/base/ids.h"
#include "libs/log/logger.h"
#include "libs/rpc/lane_batcher.h"
#include "services/gateway/pipeline/middleware.h"
#include "services/gateway/pipeline/operation_check.h"
#include "services/gateway/pipeline/rate_limiter.h"
#include "services/gateway/pipeline/store_and_forward.h"
#include "services/gateway/pipeline/version_client.h"
#include "services/gateway/session/operations.h"

namespace bdcsync::gateway {

class PipelineMetrics;

// What the version service said of an operation, as clients are told it. op_id and entity of `to`
// stay as they are.
void FillResult(version::v1::CommitResult from, sync::v1::OperationResult& to);

struct PipelineLimits {
  OperationLimits operation;
  RateLimits rate;
  size_t operations_per_batch_max = 1000;  // limits.operations_per_batch
  rpc::LaneBatcherLimits batcher;          // Per replica of the version service.
};

struct PipelineDependencies {
  VersionClient& version;
  StoreAndForward& spool;
  const Clock& clock;
  Random& random;
  PipelineMetrics& metrics;
  log::Logger& logger;
  std::vector<OperationMiddleware*> middleware;  // In order.
};

class CommitPipeline final : public OperationPipeline {
 public:
  // What the dependencies refer to is borrowed.
  CommitPipeline(PipelineDependencies dependencies, PipelineLimits limits);
  // Nothing may be in flight.
  ~CommitPipeline() override;

  void Submit(std::shared_ptr<const Caller> caller, std::vector<common::v1::Operation> operations,
              SubmitOptions options, Done done) override;

  // Operations that wait for a batch, and whether none waits or is in flight.
  size_t queued() const;
  bool idle() const;
  RateLimiter& rate_limiter() { return rate_limiter_; }

 private:
  struct Submission;
  // One operation on its way.
  struct Pending {
    std::unique_ptr<version::v1::CommitItem> item;  // Until a request adopts it.
    std::shared_ptr<Submission> submission;  // Shared by its operations, which end in any order.
    size_t index = 0;                        // Among the operations of the submission.
    uint64_t group = 0;                      // Operations with one number travel together.
  };
  using Batch = std::vector<Pending>;
  using BatchDone = absl::AnyInvocable<void()>;
  // Operations that are committed, whose data the answer had no place for.
  struct LeftOut {
    size_t replica = 0;
    Batch operations;
    std::vector<version::v1::CommitResult> results;
    size_t next = 0;
  };

  // Why nothing of a submission is committed, by operation; empty when it may be.
  using Refusals = std::vector<absl::Status>;

  Refusals Admit(Submission& submission, std::vector<common::v1::Operation>& operations);
  Refusals AdmitAtomic(const Submission& submission,
                       std::vector<common::v1::Operation>& operations);
  absl::Status Check(const Submission& submission, common::v1::Operation& operation);
  std::vector<Batch> Sort(const std::shared_ptr<Submission>& submission,
                          std::vector<common::v1::Operation> operations);
  void Enqueue(Batch group);
  void Send(size_t replica, Batch batch, BatchDone done);
  void Commit(size_t replica, std::shared_ptr<Batch> batch, BatchDone done);
  CallTrace TraceOf(const Batch& batch);
  void LogFailure(const Batch& batch, const absl::Status& why);
  void OnCommitted(size_t replica, const std::shared_ptr<Batch>& batch,
                   const version::v1::CommitRequest& request,
                   absl::StatusOr<version::v1::CommitResponse> response, BatchDone done);
  void ReadNext(const std::shared_ptr<LeftOut>& left_out);
  void Store(Batch batch, BatchDone done);
  void RejectAll(Batch& batch, const absl::Status& why);
  void Finish(Pending& pending, version::v1::CommitResult result);
  void FinishSubmission(Submission& submission);

  const PipelineDependencies to_;
  const PipelineLimits limits_;
  RateLimiter rate_limiter_;
  log::Throttle failures_;
  std::atomic<uint32_t> next_group_{0};
  std::atomic<size_t> reading_{0};  // LeftOuts whose data is being read.
  std::vector<std::unique_ptr<rpc::LaneBatcher<Pending>>> batchers_;  // By replica.
};

}  // namespace bdcsync::gateway
