// The conflict service over gRPC: any replica may answer. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/gateway/desk/conflict_ports.h"

namespace bdcsync::gateway {

// A dry run, or an analysis, which the conflict service bounds itself: by the time for reading, and
// for a statement. Whoever asks may wait for less.
inline constexpr absl::Duration kReportTimeout = absl::Minutes(1);

class GrpcConflictClient final : public ConflictRecords {
 public:
  // One peer per replica, at least one. Every call ends within `timeout`, or within
  // kReportTimeout if it is a report.
  GrpcConflictClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~GrpcConflictClient() override;

  void ListConflicts(conflict::v1::ListConflictsRequest request,
                     Done<conflict::v1::ListConflictsResponse> done) override;
  void GetConflicts(conflict::v1::GetConflictsRequest request,
                    Done<conflict::v1::GetConflictsResponse> done) override;
  void ListDue(conflict::v1::ListDueRequest request,
               Done<conflict::v1::ListDueResponse> done) override;
  void Assign(conflict::v1::AssignRequest request,
              Done<conflict::v1::AssignResponse> done) override;
  void ListResolutions(conflict::v1::ListResolutionsRequest request,
                       Done<conflict::v1::ListResolutionsResponse> done) override;
  void PutRuleSet(conflict::v1::PutRuleSetRequest request,
                  Done<conflict::v1::PutRuleSetResponse> done) override;
  void GetRuleSet(conflict::v1::GetRuleSetRequest request,
                  Done<conflict::v1::GetRuleSetResponse> done) override;
  void ListRuleSets(conflict::v1::ListRuleSetsRequest request,
                    Done<conflict::v1::ListRuleSetsResponse> done) override;
  void RemoveRuleSet(conflict::v1::RemoveRuleSetRequest request,
                     Done<conflict::v1::RemoveRuleSetResponse> done) override;
  void DryRun(conflict::v1::DryRunRequest request,
              Done<conflict::v1::DryRunResponse> done) override;
  void Analyze(conflict::v1::AnalyzeRequest request,
               Done<conflict::v1::AnalyzeResponse> done) override;

  // Whether the service answers.
  void Ping(absl::AnyInvocable<void(absl::Status)> done);
  // Ends all calls; returns when no callback runs any more.
  void Shutdown();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace bdcsync::gateway
