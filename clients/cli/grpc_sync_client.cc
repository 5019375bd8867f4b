#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <utility>

#include "bdcsync/admin/v1/admin.grpc.pb.h"
#include "bdcsync/sync/v1/sync.grpc.pb.h"
#include "clients/cli/authorized_calls.h"
#include "clients/cli/grpc_desk_client.h"
#include "clients/cli/sync_client.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/rpc/channels.h"
#include "libs/rpc/tls.h"

namespace bdcsync::cli {
namespace {

class GrpcSyncClient final : public SyncClient {
 public:
  GrpcSyncClient(const std::shared_ptr<grpc::Channel>& channel, SyncClientOptions options)
      : options_(std::move(options)),
        calls_(options_),
        desk_(MakeGrpcDesk(channel, options_)),
        stub_(v1::SyncService::NewStub(channel)),
        admin_(admin::v1::AdminService::NewStub(channel)) {}

  DeskClient& desk() override { return *desk_; }

  absl::StatusOr<v1::ProcessSyncResponse> ProcessSync(
      const v1::ProcessSyncRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::ProcessSync, request);
  }
  absl::StatusOr<v1::GetEntityResponse> GetEntity(const v1::GetEntityRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::GetEntity, request);
  }
  absl::StatusOr<v1::ListEntitiesResponse> ListEntities(
      const v1::ListEntitiesRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::ListEntities, request);
  }
  absl::StatusOr<v1::GetHistoryResponse> GetHistory(const v1::GetHistoryRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::GetHistory, request);
  }
  absl::StatusOr<v1::DiffResponse> Diff(const v1::DiffRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::Diff, request);
  }
  absl::StatusOr<v1::ListDevicesResponse> ListDevices(
      const v1::ListDevicesRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::ListDevices, request);
  }
  absl::StatusOr<v1::RevokeDeviceResponse> RevokeDevice(
      const v1::RevokeDeviceRequest& request) override {
    return Call(*stub_, &v1::SyncService::Stub::RevokeDevice, request);
  }
  absl::StatusOr<v1::GetStatusResponse> GetStatus() override {
    return Call(*stub_, &v1::SyncService::Stub::GetStatus, v1::GetStatusRequest());
  }
  absl::StatusOr<admin::v1::ListParkedResponse> ListParked(
      const admin::v1::ListParkedRequest& request) override {
    return Call(*admin_, &admin::v1::AdminService::Stub::ListParked, request);
  }
  absl::StatusOr<admin::v1::RetryParkedResponse> RetryParked(
      const admin::v1::RetryParkedRequest& request) override {
    return Call(*admin_, &admin::v1::AdminService::Stub::RetryParked, request);
  }
  absl::StatusOr<admin::v1::DiscardParkedResponse> DiscardParked(
      const admin::v1::DiscardParkedRequest& request) override {
    return Call(*admin_, &admin::v1::AdminService::Stub::DiscardParked, request);
  }
  absl::StatusOr<admin::v1::ChangeConfigResponse> ChangeConfig(
      const admin::v1::ChangeConfigRequest& request) override {
    return Call(*admin_, &admin::v1::AdminService::Stub::ChangeConfig, request);
  }

  absl::Status Watch(const v1::WatchRequest& request,
                     const std::function<bool(const v1::WatchResponse&)>& on_message) override {
    grpc::ClientContext context;  // No deadline: a watch lasts until somebody ends it.
    calls_.Authorize(context);
    const auto reader = stub_->Watch(&context, request);
    v1::WatchResponse response;
    while (reader->Read(&response)) {
      if (on_message(response)) continue;
      context.TryCancel();
      while (reader->Read(&response)) {
      }
      reader->Finish();
      return absl::OkStatus();
    }
    const grpc::Status status = reader->Finish();
    if (status.ok()) return MakeError(Reason::kUnavailable, "the server ended the stream");
    return AuthorizedCalls::Failure(context, status);
  }

 private:
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    return calls_.Call(stub, method, request);
  }

  const SyncClientOptions options_;
  const AuthorizedCalls calls_;
  const std::unique_ptr<DeskClient> desk_;
  const std::unique_ptr<v1::SyncService::Stub> stub_;
  const std::unique_ptr<admin::v1::AdminService::Stub> admin_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<SyncClient>> DialSync(SyncClientOptions options) {
  if (!options.tls_ca_file.empty()) {
    // Named as it was given here; a channel names it as services do.
    RETURN_IF_ERROR(rpc::ReadPem(options.tls_ca_file, "--tls-ca").status());
  }
  rpc::ChannelOptions channel_options;
  channel_options.tls_ca_file = options.tls_ca_file;
  ASSIGN_OR_RETURN(const auto channel, rpc::Dial(options.address, channel_options));
  return std::make_unique<GrpcSyncClient>(channel, std::move(options));
}

}  // namespace bdcsync::cli
