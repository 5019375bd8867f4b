// The desk for sessions and gRPC callers: checks what they may do, then asks the conflict service
// (lists, records, rules) and the version service (states, decisions, undo). Keeps nothing.
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "libs/log/logger.h"
#include "services/gateway/desk/conflict_ports.h"
#include "services/gateway/pipeline/rate_limiter.h"
#include "services/gateway/session/conflict_desk.h"

namespace bdcsync::gateway {

inline constexpr int kDecisionsMax = 1000;  // In one call.

class Desk final : public ConflictDesk {
 public:
  // Everything is borrowed. Decisions take from the same buckets of `rates` as operations.
  Desk(ConflictRecords& records, ConflictVersions& versions, RateLimiter& rates,
       const log::Logger& logger)
      : records_(records), versions_(versions), rates_(rates), logger_(logger) {}

  void ListConflicts(CallerPtr caller, sync::v1::ListConflictsRequest request,
                     Done<sync::v1::ListConflictsResponse> done) override;
  void GetConflict(CallerPtr caller, sync::v1::GetConflictRequest request,
                   Done<sync::v1::GetConflictResponse> done) override;
  void DecideConflicts(CallerPtr caller, sync::v1::DecideConflictsRequest request,
                       Done<sync::v1::DecideConflictsResponse> done) override;
  void AssignConflict(CallerPtr caller, sync::v1::AssignConflictRequest request,
                      Done<sync::v1::AssignConflictResponse> done) override;
  void CancelConflict(CallerPtr caller, sync::v1::CancelConflictRequest request,
                      Done<sync::v1::CancelConflictResponse> done) override;
  void UndoResolution(CallerPtr caller, sync::v1::UndoResolutionRequest request,
                      Done<sync::v1::UndoResolutionResponse> done) override;
  void ListResolutions(CallerPtr caller, sync::v1::ListResolutionsRequest request,
                       Done<sync::v1::ListResolutionsResponse> done) override;
  void PutRuleSet(CallerPtr caller, sync::v1::PutRuleSetRequest request,
                  Done<sync::v1::PutRuleSetResponse> done) override;
  void GetRuleSet(CallerPtr caller, sync::v1::GetRuleSetRequest request,
                  Done<sync::v1::GetRuleSetResponse> done) override;
  void ListRuleSets(CallerPtr caller, sync::v1::ListRuleSetsRequest request,
                    Done<sync::v1::ListRuleSetsResponse> done) override;
  void RemoveRuleSet(CallerPtr caller, sync::v1::RemoveRuleSetRequest request,
                     Done<sync::v1::RemoveRuleSetResponse> done) override;
  void DryRun(CallerPtr caller, sync::v1::DryRunRequest request,
              Done<sync::v1::DryRunResponse> done) override;
  void Analyze(CallerPtr caller, sync::v1::AnalyzeRequest request,
               Done<sync::v1::AnalyzeResponse> done) override;

 private:
  using Check = absl::Status (*)(const Caller& caller, const conflict::v1::Conflict& conflict);
  struct Closing;

  size_t ReplicaOf(absl::string_view space) const;
  // One operation of the caller's device, or more.
  absl::Status TakeRate(const Caller& caller, size_t count);
  // The conflict, if `allows` lets the caller go on.
  void Find(CallerPtr caller, const std::string& conflict_id, Check allows,
            Done<conflict::v1::Conflict> done);
  // Closes conflicts, in calls of at most kConflictsPerCallMax; one result per item.
  void Close(CallerPtr caller, std::vector<version::v1::CloseItem> items, Check allows,
             absl::AnyInvocable<void(std::vector<sync::v1::DecideResult>)> done);
  void CloseNext(const std::shared_ptr<Closing>& closing);
  void OnFound(const std::shared_ptr<Closing>& closing,
               const absl::StatusOr<conflict::v1::GetConflictsResponse>& found);
  void CloseAt(const std::shared_ptr<Closing>& closing, size_t replica,
               const std::vector<size_t>& places);

  ConflictRecords& records_;
  ConflictVersions& versions_;
  RateLimiter& rates_;
  const log::Logger& logger_;
};

}  // namespace bdcsync::gateway
