#include "services/gateway/grpc/version_client.h"

#include <grpcpp/channel.h>

#include <utility>

#include "bdcsync/version/v1/version.grpc.pb.h"
#include "services/gateway/grpc/grpc_calls.h"

namespace bdcsync::gateway {
namespace {

using version::v1::VersionService;
using Async = VersionService::StubInterface::async_interface;

}  // namespace

struct GrpcVersionClient::State {
  std::vector<std::unique_ptr<VersionService::Stub>> stubs;
  rpc::CallOptions options;
  GrpcCalls calls;  // Last: ended before the stubs go.

  template <typename Request, typename Response, typename Held>
  void Call(size_t replica,
            void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  std::function<void(grpc::Status)>),
            Held held, Done<Response> done) {
    Async& async = *stubs[replica % stubs.size()]->async();
    calls.Start(async, method, std::move(held), options, std::move(done));
  }
};

GrpcVersionClient::GrpcVersionClient(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                                     absl::Duration timeout)
    : state_(std::make_unique<State>()) {
  for (const auto& channel : channels) state_->stubs.push_back(VersionService::NewStub(channel));
  state_->options.timeout = timeout;
}

GrpcVersionClient::~GrpcVersionClient() = default;

size_t GrpcVersionClient::replicas() const { return state_->stubs.size(); }

void GrpcVersionClient::Commit(size_t replica, const version::v1::CommitRequest& request,
                               Done<version::v1::CommitResponse> done) {
  state_->Call(replica, &Async::Commit, &request, std::move(done));
}

void GrpcVersionClient::GetEntities(size_t replica, version::v1::GetEntitiesRequest request,
                                    Done<version::v1::GetEntitiesResponse> done) {
  state_->Call(replica, &Async::GetEntities, std::move(request), std::move(done));
}

void GrpcVersionClient::GetHistory(size_t replica, version::v1::GetHistoryRequest request,
                                   Done<version::v1::GetHistoryResponse> done) {
  state_->Call(replica, &Async::GetHistory, std::move(request), std::move(done));
}

void GrpcVersionClient::Diff(size_t replica, version::v1::DiffRequest request,
                             Done<version::v1::DiffResponse> done) {
  state_->Call(replica, &Async::Diff, std::move(request), std::move(done));
}

void GrpcVersionClient::ViewConflicts(size_t replica, version::v1::ViewConflictsRequest request,
                                      Done<version::v1::ViewConflictsResponse> done) {
  state_->Call(replica, &Async::ViewConflicts, std::move(request), std::move(done));
}

void GrpcVersionClient::CloseConflicts(size_t replica, version::v1::CloseConflictsRequest request,
                                       Done<version::v1::CloseConflictsResponse> done) {
  state_->Call(replica, &Async::CloseConflicts, std::move(request), std::move(done));
}

void GrpcVersionClient::UndoResolution(size_t replica, version::v1::UndoResolutionRequest request,
                                       Done<version::v1::UndoResolutionResponse> done) {
  state_->Call(replica, &Async::UndoResolution, std::move(request), std::move(done));
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
