#include "services/gateway/grpc/version_client.h"

#include <utility>

#include "bdcsync/version/v1/version.grpc.pb.h"
#include "services/gateway/grpc/replicas_client.h"

namespace bdcsync::gateway {
namespace {

using version::v1::VersionService;

constexpr auto kCommit = [](auto& end, auto... call) { return end.Commit(std::move(call)...); };
constexpr auto kGetEntities = [](auto& end, auto... call) {
  return end.GetEntities(std::move(call)...);
};
constexpr auto kGetHistory = [](auto& end, auto... call) {
  return end.GetHistory(std::move(call)...);
};
constexpr auto kDiff = [](auto& end, auto... call) { return end.Diff(std::move(call)...); };
constexpr auto kViewConflicts = [](auto& end, auto... call) {
  return end.ViewConflicts(std::move(call)...);
};
constexpr auto kCloseConflicts = [](auto& end, auto... call) {
  return end.CloseConflicts(std::move(call)...);
};
constexpr auto kUndoResolution = [](auto& end, auto... call) {
  return end.UndoResolution(std::move(call)...);
};

}  // namespace

struct GrpcVersionClient::State {
  State(const std::vector<rpc::Peer>& peers, absl::Duration timeout) : calls(peers, timeout) {}
  ReplicasClient<VersionService> calls;
};

GrpcVersionClient::GrpcVersionClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout)
    : state_(std::make_unique<State>(peers, timeout)) {}

GrpcVersionClient::~GrpcVersionClient() = default;

size_t GrpcVersionClient::replicas() const { return state_->calls.replicas(); }

void GrpcVersionClient::Commit(size_t replica,
                               std::shared_ptr<const version::v1::CommitRequest> request,
                               Done<version::v1::CommitResponse> done) {
  // Where the first one had it after all, the log knows the op_ids.
  state_->calls.Call(replica, kCommit, std::move(request), std::move(done));
}

void GrpcVersionClient::GetEntities(size_t replica, version::v1::GetEntitiesRequest request,
                                    Done<version::v1::GetEntitiesResponse> done) {
  state_->calls.Call(replica, kGetEntities, std::move(request), std::move(done));
}

void GrpcVersionClient::GetHistory(size_t replica, version::v1::GetHistoryRequest request,
                                   Done<version::v1::GetHistoryResponse> done) {
  state_->calls.Call(replica, kGetHistory, std::move(request), std::move(done));
}

void GrpcVersionClient::Diff(size_t replica, version::v1::DiffRequest request,
                             Done<version::v1::DiffResponse> done) {
  state_->calls.Call(replica, kDiff, std::move(request), std::move(done));
}

void GrpcVersionClient::ViewConflicts(size_t replica, version::v1::ViewConflictsRequest request,
                                      Done<version::v1::ViewConflictsResponse> done) {
  state_->calls.Call(replica, kViewConflicts, std::move(request), std::move(done));
}

void GrpcVersionClient::CloseConflicts(size_t replica, version::v1::CloseConflictsRequest request,
                                       Done<version::v1::CloseConflictsResponse> done) {
  state_->calls.CallOnce(replica, kCloseConflicts, std::move(request), std::move(done));
}

void GrpcVersionClient::UndoResolution(size_t replica, version::v1::UndoResolutionRequest request,
                                       Done<version::v1::UndoResolutionResponse> done) {
  state_->calls.CallOnce(replica, kUndoResolution, std::move(request), std::move(done));
}

void GrpcVersionClient::Ping(absl::AnyInvocable<void(absl::Status)> done) {
  GetEntities(0, {},
              [done = std::move(done)](
                  const absl::StatusOr<version::v1::GetEntitiesResponse>& answer) mutable {
                done(answer.status());
              });
}

void GrpcVersionClient::Shutdown() { state_->calls.Shutdown(); }

}  // namespace bdcsync::gateway
