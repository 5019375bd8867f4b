// The port between commands and the server: gRPC SyncService and AdminService, one method a call.
// Failures carry the server's reason (libs/base/errors.h); kUnavailable and kDeadlineExceeded mean
// that it cannot be reached, or cannot reach another; IsNotConnected tells (connection_error.h).
// Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bdcsync/admin/v1/admin.pb.h"
#include "bdcsync/sync/v1/sync.pb.h"
#include "clients/cli/desk_client.h"

namespace bdcsync::cli {

namespace v1 = sync::v1;

class SyncClient {
 public:
  virtual ~SyncClient() = default;

  // Conflicts and rules, on the same connection; lives as long as this.
  virtual DeskClient& desk() = 0;

  virtual absl::StatusOr<v1::ProcessSyncResponse> ProcessSync(
      const v1::ProcessSyncRequest& request) = 0;
  virtual absl::StatusOr<v1::GetEntityResponse> GetEntity(const v1::GetEntityRequest& request) = 0;
  virtual absl::StatusOr<v1::ListEntitiesResponse> ListEntities(
      const v1::ListEntitiesRequest& request) = 0;
  virtual absl::StatusOr<v1::GetHistoryResponse> GetHistory(
      const v1::GetHistoryRequest& request) = 0;
  virtual absl::StatusOr<v1::DiffResponse> Diff(const v1::DiffRequest& request) = 0;
  virtual absl::StatusOr<v1::ListDevicesResponse> ListDevices(
      const v1::ListDevicesRequest& request) = 0;
  virtual absl::StatusOr<v1::RevokeDeviceResponse> RevokeDevice(
      const v1::RevokeDeviceRequest& request) = 0;
  virtual absl::StatusOr<v1::GetStatusResponse> GetStatus() = 0;
  // Of AdminService: kForbidden without an admin's token.
  virtual absl::StatusOr<admin::v1::ListParkedResponse> ListParked(
      const admin::v1::ListParkedRequest& request) = 0;
  virtual absl::StatusOr<admin::v1::RetryParkedResponse> RetryParked(
      const admin::v1::RetryParkedRequest& request) = 0;
  virtual absl::StatusOr<admin::v1::DiscardParkedResponse> DiscardParked(
      const admin::v1::DiscardParkedRequest& request) = 0;
  virtual absl::StatusOr<admin::v1::ChangeConfigResponse> ChangeConfig(
      const admin::v1::ChangeConfigRequest& request) = 0;

  // Hands every message of one stream to `on_message` until that returns false (then OK) or the
  // stream ends (then why; kUnavailable also when the server ended it in good order).
  virtual absl::Status Watch(const v1::WatchRequest& request,
                             const std::function<bool(const v1::WatchResponse&)>& on_message) = 0;
};

struct SyncClientOptions {
  std::string address;
  // Asked before each call; an empty token sends none.
  std::function<std::string()> token;
  std::string tls_ca_file;  // Empty: no TLS.
  absl::Duration timeout = absl::Seconds(10);
};

//   INVALID_ARGUMENT  the CA file cannot be read.
absl::StatusOr<std::unique_ptr<SyncClient>> DialSync(SyncClientOptions options);

}  // namespace bdcsync::cli
