// The version service over gRPC. Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "libs/rpc/peer.h"
#include "services/gateway/pipeline/version_client.h"

namespace bdcsync::gateway {

class GrpcVersionClient final : public VersionClient {
 public:
  // One peer per replica, at least one. Every call ends within `timeout`.
  GrpcVersionClient(const std::vector<rpc::Peer>& peers, absl::Duration timeout);
  ~GrpcVersionClient() override;

  size_t replicas() const override;
  void Commit(size_t replica, std::shared_ptr<const version::v1::CommitRequest> request,
              Done<version::v1::CommitResponse> done) override;
  void GetEntities(size_t replica, version::v1::GetEntitiesRequest request,
                   Done<version::v1::GetEntitiesResponse> done) override;
  void GetHistory(size_t replica, version::v1::GetHistoryRequest request,
                  Done<version::v1::GetHistoryResponse> done) override;
  void Diff(size_t replica, version::v1::DiffRequest request,
            Done<version::v1::DiffResponse> done) override;

  // Whether the service answers.
  void Ping(absl::AnyInvocable<void(absl::Status)> done);
  // Ends all calls; returns when no callback runs any more.
  void Shutdown();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace bdcsync::gateway
