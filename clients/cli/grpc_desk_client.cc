#include "clients/cli/grpc_desk_client.h"

#include <grpcpp/channel.h>

#include "bdcsync/sync/v1/desk.grpc.pb.h"
#include "clients/cli/authorized_calls.h"

namespace bdcsync::cli {
namespace {

class GrpcDeskClient final : public DeskClient {
 public:
  GrpcDeskClient(const std::shared_ptr<grpc::Channel>& channel, const SyncClientOptions& options)
      : calls_(options), stub_(Desk::NewStub(channel)) {}

  absl::StatusOr<v1::ListConflictsResponse> ListConflicts(
      const v1::ListConflictsRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::ListConflicts, request);
  }
  absl::StatusOr<v1::GetConflictResponse> GetConflict(
      const v1::GetConflictRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::GetConflict, request);
  }
  absl::StatusOr<v1::DecideConflictsResponse> DecideConflicts(
      const v1::DecideConflictsRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::DecideConflicts, request);
  }
  absl::StatusOr<v1::AssignConflictResponse> AssignConflict(
      const v1::AssignConflictRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::AssignConflict, request);
  }
  absl::StatusOr<v1::CancelConflictResponse> CancelConflict(
      const v1::CancelConflictRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::CancelConflict, request);
  }
  absl::StatusOr<v1::UndoResolutionResponse> UndoResolution(
      const v1::UndoResolutionRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::UndoResolution, request);
  }
  absl::StatusOr<v1::ListResolutionsResponse> ListResolutions(
      const v1::ListResolutionsRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::ListResolutions, request);
  }
  absl::StatusOr<v1::PutRuleSetResponse> PutRuleSet(const v1::PutRuleSetRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::PutRuleSet, request);
  }
  absl::StatusOr<v1::GetRuleSetResponse> GetRuleSet(const v1::GetRuleSetRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::GetRuleSet, request);
  }
  absl::StatusOr<v1::ListRuleSetsResponse> ListRuleSets(
      const v1::ListRuleSetsRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::ListRuleSets, request);
  }
  absl::StatusOr<v1::RemoveRuleSetResponse> RemoveRuleSet(
      const v1::RemoveRuleSetRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::RemoveRuleSet, request);
  }
  absl::StatusOr<v1::DryRunResponse> DryRun(const v1::DryRunRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::DryRun, request);
  }
  absl::StatusOr<v1::AnalyzeResponse> Analyze(const v1::AnalyzeRequest& request) override {
    return calls_.Call(*stub_, &Desk::Stub::Analyze, request);
  }

 private:
  using Desk = v1::ConflictDeskService;

  const AuthorizedCalls calls_;
  const std::unique_ptr<Desk::Stub> stub_;
};

}  // namespace

std::unique_ptr<DeskClient> MakeGrpcDesk(const std::shared_ptr<grpc::Channel>& channel,
                                         const SyncClientOptions& options) {
  return std::make_unique<GrpcDeskClient>(channel, options);
}

}  // namespace bdcsync::cli
