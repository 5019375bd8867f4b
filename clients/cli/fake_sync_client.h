// A SyncClient that notes requests and answers as told, for tests. Not thread-safe.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "clients/cli/fake_desk_client.h"
#include "clients/cli/sync_client.h"

namespace bdcsync::cli {

class FakeSyncClient final : public SyncClient {
 public:
  // One stream of a watch: what it sends, and how it ends.
  struct Stream {
    std::vector<v1::WatchResponse> messages;
    absl::Status end;
  };

  DeskClient& desk() override { return fake_desk; }
  absl::StatusOr<v1::ProcessSyncResponse> ProcessSync(
      const v1::ProcessSyncRequest& request) override {
    processed.push_back(request.operation());
    return process_answer;
  }
  absl::StatusOr<v1::GetEntityResponse> GetEntity(const v1::GetEntityRequest& request) override {
    queries.push_back(request.query());
    return entity_answer;
  }
  absl::StatusOr<v1::ListEntitiesResponse> ListEntities(
      const v1::ListEntitiesRequest& request) override {
    list_requests.push_back(request);
    return Next(list_answers);
  }
  absl::StatusOr<v1::GetHistoryResponse> GetHistory(const v1::GetHistoryRequest&) override {
    return Next(history_answers);
  }
  absl::StatusOr<v1::DiffResponse> Diff(const v1::DiffRequest& request) override {
    diff_requests.push_back(request);
    return diff_answer;
  }
  absl::StatusOr<v1::ListDevicesResponse> ListDevices(const v1::ListDevicesRequest&) override {
    return Next(device_answers);
  }
  absl::StatusOr<v1::RevokeDeviceResponse> RevokeDevice(
      const v1::RevokeDeviceRequest& request) override {
    revoke_requests.push_back(request);
    if (!revoke_failure.ok()) return revoke_failure;
    v1::RevokeDeviceResponse answer;
    answer.mutable_device()->set_device_id(request.device_id());
    answer.mutable_device()->set_revoked_ms(1'700'000'000'000);
    return answer;
  }
  absl::StatusOr<v1::GetStatusResponse> GetStatus() override { return status_answer; }
  absl::StatusOr<admin::v1::ListParkedResponse> ListParked(
      const admin::v1::ListParkedRequest& request) override {
    parked_requests.push_back(request);
    return Next(parked_answers);
  }
  absl::StatusOr<admin::v1::RetryParkedResponse> RetryParked(
      const admin::v1::RetryParkedRequest& request) override {
    admin::v1::RetryParkedResponse response;
    for (const int64_t id : request.ids()) {
      (id == unknown_id ? *response.mutable_not_found() : *response.mutable_retried()).Add(id);
    }
    return response;
  }
  absl::StatusOr<admin::v1::DiscardParkedResponse> DiscardParked(
      const admin::v1::DiscardParkedRequest& request) override {
    ++discard_calls;
    admin::v1::DiscardParkedResponse response;
    for (const int64_t id : request.ids()) {
      (id == unknown_id ? *response.mutable_not_found() : *response.mutable_discarded()).Add(id);
    }
    return response;
  }
  absl::StatusOr<admin::v1::ChangeConfigResponse> ChangeConfig(
      const admin::v1::ChangeConfigRequest& request) override {
    admin::v1::ChangeConfigResponse response;
    *response.mutable_values() = request.values();
    return response;
  }
  absl::Status Watch(const v1::WatchRequest& request,
                     const std::function<bool(const v1::WatchResponse&)>& on_message) override {
    watches.push_back(request);
    if (streams.empty()) return absl::InternalError("the test expected no further watch");
    const Stream stream = std::move(streams.front());
    streams.pop_front();
    for (const v1::WatchResponse& message : stream.messages) {
      if (!on_message(message)) return absl::OkStatus();
    }
    return stream.end;
  }

  FakeDeskClient fake_desk;
  std::vector<common::v1::Operation> processed;
  std::vector<version::v1::EntityQuery> queries;
  std::vector<v1::ListEntitiesRequest> list_requests;
  std::vector<v1::DiffRequest> diff_requests;
  std::vector<v1::RevokeDeviceRequest> revoke_requests;
  std::vector<v1::WatchRequest> watches;

  absl::StatusOr<v1::ProcessSyncResponse> process_answer = v1::ProcessSyncResponse();
  absl::StatusOr<v1::GetEntityResponse> entity_answer = v1::GetEntityResponse();
  std::deque<v1::ListEntitiesResponse> list_answers;
  std::deque<v1::GetHistoryResponse> history_answers;
  absl::StatusOr<v1::DiffResponse> diff_answer = v1::DiffResponse();
  std::deque<v1::ListDevicesResponse> device_answers;
  absl::Status revoke_failure;
  absl::StatusOr<v1::GetStatusResponse> status_answer = v1::GetStatusResponse();
  std::deque<Stream> streams;
  std::vector<admin::v1::ListParkedRequest> parked_requests;
  std::deque<admin::v1::ListParkedResponse> parked_answers;
  int64_t unknown_id = 0;  // Not parked.
  int discard_calls = 0;

 private:
  template <typename Response>
  static absl::StatusOr<Response> Next(std::deque<Response>& answers) {
    if (answers.empty()) return absl::InternalError("the test expected no further call");
    Response answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
};

// Lends a client that the test keeps.
class Borrowed final : public SyncClient {
 public:
  explicit Borrowed(SyncClient& real) : real_(real) {}
  DeskClient& desk() override { return real_.desk(); }
  absl::StatusOr<v1::ProcessSyncResponse> ProcessSync(const v1::ProcessSyncRequest& r) override {
    return real_.ProcessSync(r);
  }
  absl::StatusOr<v1::GetEntityResponse> GetEntity(const v1::GetEntityRequest& r) override {
    return real_.GetEntity(r);
  }
  absl::StatusOr<v1::ListEntitiesResponse> ListEntities(const v1::ListEntitiesRequest& r) override {
    return real_.ListEntities(r);
  }
  absl::StatusOr<v1::GetHistoryResponse> GetHistory(const v1::GetHistoryRequest& r) override {
    return real_.GetHistory(r);
  }
  absl::StatusOr<v1::DiffResponse> Diff(const v1::DiffRequest& r) override { return real_.Diff(r); }
  absl::StatusOr<v1::ListDevicesResponse> ListDevices(const v1::ListDevicesRequest& r) override {
    return real_.ListDevices(r);
  }
  absl::StatusOr<v1::RevokeDeviceResponse> RevokeDevice(const v1::RevokeDeviceRequest& r) override {
    return real_.RevokeDevice(r);
  }
  absl::StatusOr<v1::GetStatusResponse> GetStatus() override { return real_.GetStatus(); }
  absl::StatusOr<admin::v1::ListParkedResponse> ListParked(
      const admin::v1::ListParkedRequest& r) override {
    return real_.ListParked(r);
  }
  absl::StatusOr<admin::v1::RetryParkedResponse> RetryParked(
      const admin::v1::RetryParkedRequest& r) override {
    return real_.RetryParked(r);
  }
  absl::StatusOr<admin::v1::DiscardParkedResponse> DiscardParked(
      const admin::v1::DiscardParkedRequest& r) override {
    return real_.DiscardParked(r);
  }
  absl::StatusOr<admin::v1::ChangeConfigResponse> ChangeConfig(
      const admin::v1::ChangeConfigRequest& r) override {
    return real_.ChangeConfig(r);
  }
  absl::Status Watch(const v1::WatchRequest& r,
                     const std::function<bool(const v1::WatchResponse&)>& f) override {
    return real_.Watch(r, f);
  }

 private:
  SyncClient& real_;
};

}  // namespace bdcsync::cli
