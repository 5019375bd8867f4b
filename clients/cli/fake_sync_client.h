// A SyncClient that notes requests and answers as told, for tests. Not thread-safe.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "clients/cli/sync_client.h"

namespace bdcsync::cli {

class FakeSyncClient final : public SyncClient {
 public:
  // One stream of a watch: what it sends, and how it ends.
  struct Stream {
    std::vector<v1::WatchResponse> messages;
    absl::Status end;
  };

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
    v1::RevokeDeviceResponse answer;
    answer.mutable_device()->set_device_id(request.device_id());
    answer.mutable_device()->set_revoked_ms(1'700'000'000'000);
    return answer;
  }
  absl::StatusOr<v1::GetStatusResponse> GetStatus() override { return status_answer; }
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
  absl::StatusOr<v1::GetStatusResponse> status_answer = v1::GetStatusResponse();
  std::deque<Stream> streams;

 private:
  template <typename Response>
  static absl::StatusOr<Response> Next(std::deque<Response>& answers) {
    if (answers.empty()) return absl::InternalError("the test expected no further call");
    Response answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
};

}  // namespace bdcsync::cli
