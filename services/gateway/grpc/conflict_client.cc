#include "services/gateway/grpc/conflict_client.h"

#include <atomic>
#include <utility>

#include "bdcsync/conflict/v1/conflict.grpc.pb.h"
#include "services/gateway/grpc/replica_calls.h"

namespace bdcsync::gateway {
namespace {

using conflict::v1::ConflictService;
using Async = ConflictService::StubInterface::async_interface;

}  // namespace

struct GrpcConflictClient::State {
  ReplicaCalls<ConflictService> calls;
  std::atomic<size_t> next{0};

  size_t Next() { return next.fetch_add(1); }
};

GrpcConflictClient::GrpcConflictClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                       absl::Duration timeout)
    : state_(new State{.calls = {channels, timeout}}) {}

GrpcConflictClient::~GrpcConflictClient() = default;

void GrpcConflictClient::ListConflicts(conflict::v1::ListConflictsRequest request,
                                       Done<conflict::v1::ListConflictsResponse> done) {
  state_->calls.Call(state_->Next(), &Async::ListConflicts, std::move(request), std::move(done));
}

void GrpcConflictClient::GetConflicts(conflict::v1::GetConflictsRequest request,
                                      Done<conflict::v1::GetConflictsResponse> done) {
  state_->calls.Call(state_->Next(), &Async::GetConflicts, std::move(request), std::move(done));
}

void GrpcConflictClient::ListDue(conflict::v1::ListDueRequest request,
                                 Done<conflict::v1::ListDueResponse> done) {
  state_->calls.Call(state_->Next(), &Async::ListDue, std::move(request), std::move(done));
}

void GrpcConflictClient::Assign(conflict::v1::AssignRequest request,
                                Done<conflict::v1::AssignResponse> done) {
  state_->calls.Call(state_->Next(), &Async::Assign, std::move(request), std::move(done));
}

void GrpcConflictClient::ListResolutions(conflict::v1::ListResolutionsRequest request,
                                         Done<conflict::v1::ListResolutionsResponse> done) {
  state_->calls.Call(state_->Next(), &Async::ListResolutions, std::move(request), std::move(done));
}

void GrpcConflictClient::PutRuleSet(conflict::v1::PutRuleSetRequest request,
                                    Done<conflict::v1::PutRuleSetResponse> done) {
  state_->calls.CallOnce(state_->Next(), &Async::PutRuleSet, std::move(request), std::move(done));
}

void GrpcConflictClient::GetRuleSet(conflict::v1::GetRuleSetRequest request,
                                    Done<conflict::v1::GetRuleSetResponse> done) {
  state_->calls.Call(state_->Next(), &Async::GetRuleSet, std::move(request), std::move(done));
}

void GrpcConflictClient::ListRuleSets(conflict::v1::ListRuleSetsRequest request,
                                      Done<conflict::v1::ListRuleSetsResponse> done) {
  state_->calls.Call(state_->Next(), &Async::ListRuleSets, std::move(request), std::move(done));
}

void GrpcConflictClient::RemoveRuleSet(conflict::v1::RemoveRuleSetRequest request,
                                       Done<conflict::v1::RemoveRuleSetResponse> done) {
  state_->calls.CallOnce(state_->Next(), &Async::RemoveRuleSet, std::move(request),
                         std::move(done));
}

void GrpcConflictClient::DryRun(conflict::v1::DryRunRequest request,
                                Done<conflict::v1::DryRunResponse> done) {
  state_->calls.Call(state_->Next(), &Async::DryRun, std::move(request), std::move(done));
}

void GrpcConflictClient::Analyze(conflict::v1::AnalyzeRequest request,
                                 Done<conflict::v1::AnalyzeResponse> done) {
  state_->calls.Call(state_->Next(), &Async::Analyze, std::move(request), std::move(done));
}

void GrpcConflictClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  using Response = conflict::v1::GetConflictsResponse;
  GetConflicts({}, [done = std::move(done)](const absl::StatusOr<Response>& answer) mutable {
    done(answer.status());
  });
}

void GrpcConflictClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
