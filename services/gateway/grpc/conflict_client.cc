#include "services/gateway/grpc/conflict_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "services/gateway/grpc/replicas_client.h"

namespace bdcsync::gateway {
namespace {

using conflict::v1::ConflictService;

constexpr auto kListConflicts = [](auto& end, auto... call) {
  return end.ListConflicts(std::move(call)...);
};
constexpr auto kGetConflicts = [](auto& end, auto... call) {
  return end.GetConflicts(std::move(call)...);
};
constexpr auto kListDue = [](auto& end, auto... call) { return end.ListDue(std::move(call)...); };
constexpr auto kAssign = [](auto& end, auto... call) { return end.Assign(std::move(call)...); };
constexpr auto kListResolutions = [](auto& end, auto... call) {
  return end.ListResolutions(std::move(call)...);
};
constexpr auto kPutRuleSet = [](auto& end, auto... call) {
  return end.PutRuleSet(std::move(call)...);
};
constexpr auto kGetRuleSet = [](auto& end, auto... call) {
  return end.GetRuleSet(std::move(call)...);
};
constexpr auto kListRuleSets = [](auto& end, auto... call) {
  return end.ListRuleSets(std::move(call)...);
};
constexpr auto kRemoveRuleSet = [](auto& end, auto... call) {
  return end.RemoveRuleSet(std::move(call)...);
};
constexpr auto kDryRun = [](auto& end, auto... call) { return end.DryRun(std::move(call)...); };
constexpr auto kAnalyze = [](auto& end, auto... call) { return end.Analyze(std::move(call)...); };

}  // namespace

struct GrpcConflictClient::State {
  State(const std::vector<rpc::Peer>& peers, absl::Duration timeout) : calls(peers, timeout) {}
  size_t Next() { return next.fetch_add(1); }

  ReplicasClient<ConflictService> calls;
  std::atomic<size_t> next{0};
};

GrpcConflictClient::GrpcConflictClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : state_(std::make_unique<State>(peers, timeout)) {}

GrpcConflictClient::~GrpcConflictClient() = default;

void GrpcConflictClient::ListConflicts(conflict::v1::ListConflictsRequest request,
                                       Done<conflict::v1::ListConflictsResponse> done) {
  state_->calls.Call(state_->Next(), kListConflicts, std::move(request), std::move(done));
}

void GrpcConflictClient::GetConflicts(conflict::v1::GetConflictsRequest request,
                                      Done<conflict::v1::GetConflictsResponse> done) {
  state_->calls.Call(state_->Next(), kGetConflicts, std::move(request), std::move(done));
}

void GrpcConflictClient::ListDue(conflict::v1::ListDueRequest request,
                                 Done<conflict::v1::ListDueResponse> done) {
  state_->calls.Call(state_->Next(), kListDue, std::move(request), std::move(done));
}

void GrpcConflictClient::Assign(conflict::v1::AssignRequest request,
                                Done<conflict::v1::AssignResponse> done) {
  state_->calls.Call(state_->Next(), kAssign, std::move(request), std::move(done));
}

void GrpcConflictClient::ListResolutions(conflict::v1::ListResolutionsRequest request,
                                         Done<conflict::v1::ListResolutionsResponse> done) {
  state_->calls.Call(state_->Next(), kListResolutions, std::move(request), std::move(done));
}

void GrpcConflictClient::PutRuleSet(conflict::v1::PutRuleSetRequest request,
                                    Done<conflict::v1::PutRuleSetResponse> done) {
  state_->calls.CallOnce(state_->Next(), kPutRuleSet, std::move(request), std::move(done));
}

void GrpcConflictClient::GetRuleSet(conflict::v1::GetRuleSetRequest request,
                                    Done<conflict::v1::GetRuleSetResponse> done) {
  state_->calls.Call(state_->Next(), kGetRuleSet, std::move(request), std::move(done));
}

void GrpcConflictClient::ListRuleSets(conflict::v1::ListRuleSetsRequest request,
                                      Done<conflict::v1::ListRuleSetsResponse> done) {
  state_->calls.Call(state_->Next(), kListRuleSets, std::move(request), std::move(done));
}

void GrpcConflictClient::RemoveRuleSet(conflict::v1::RemoveRuleSetRequest request,
                                       Done<conflict::v1::RemoveRuleSetResponse> done) {
  state_->calls.CallOnce(state_->Next(), kRemoveRuleSet, std::move(request), std::move(done));
}

void GrpcConflictClient::DryRun(conflict::v1::DryRunRequest request,
                                Done<conflict::v1::DryRunResponse> done) {
  state_->calls.CallFor(kReportTimeout, state_->Next(), kDryRun, std::move(request),
                        std::move(done));
}

void GrpcConflictClient::Analyze(conflict::v1::AnalyzeRequest request,
                                 Done<conflict::v1::AnalyzeResponse> done) {
  state_->calls.CallFor(kReportTimeout, state_->Next(), kAnalyze, std::move(request),
                        std::move(done));
}

void GrpcConflictClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = conflict::v1::ListRuleSetsResponse;
  conflict::v1::ListRuleSetsRequest request;
  request.set_limit(1);
  ListRuleSets(request, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void GrpcConflictClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
