#include <grpcpp/channel.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bdcsync/event_store/v1/event_store.grpc.pb.h"
#include "libs/app/app.h"
#include "libs/base/status.h"
#include "libs/rpc/unary.h"
#include "libs/testing/temp_dir.h"
#include "services/event-store/conformance/event_store_client.h"
#include "services/event-store/module.h"

namespace bdcsync::event_store {
namespace {

using Stub = v1::EventStoreService::StubInterface;

// The test-only client of the service.
class RpcEventStore final : public EventStoreClient {
 public:
  explicit RpcEventStore(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::EventStoreService::NewStub(std::move(channel))) {}
  absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    return Call(&Stub::Append, request);
  }
  absl::StatusOr<v1::ReadHeadsResponse> ReadHeads(const v1::ReadHeadsRequest& request) override {
    return Call(&Stub::ReadHeads, request);
  }
  absl::StatusOr<v1::GetOperationsResponse> GetOperations(
      const v1::GetOperationsRequest& request) override {
    return Call(&Stub::GetOperations, request);
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const v1::ReadStreamRequest& request) override {
    return Call(&Stub::ReadStream, request);
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const v1::ReadSpaceRequest& request) override {
    return Call(&Stub::ReadSpace, request);
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const v1::ReadLogRequest& request) override {
    return Call(&Stub::ReadLog, request);
  }
  absl::StatusOr<v1::GetSpaceHeadsResponse> GetSpaceHeads(
      const v1::GetSpaceHeadsRequest& request) override {
    return Call(&Stub::GetSpaceHeads, request);
  }
  absl::Status PutSnapshot(const v1::PutSnapshotRequest& request) override {
    return Call(&Stub::PutSnapshot, request).status();
  }
  absl::StatusOr<v1::GetSnapshotResponse> GetSnapshot(
      const v1::GetSnapshotRequest& request) override {
    return Call(&Stub::GetSnapshot, request);
  }
  absl::StatusOr<v1::GetStoreInfoResponse> GetStoreInfo() override {
    return Call(&Stub::GetStoreInfo, v1::GetStoreInfoRequest());
  }

 private:
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    rpc::CallOptions options;
    options.timeout = absl::Seconds(60);
    return rpc::Call(static_cast<Stub&>(*stub_), method, request, options);
  }

  const std::unique_ptr<Stub> stub_;
};

class WireHost final : public StoreHost {
 public:
  explicit WireHost(uint32_t log_count) : log_count_(log_count) {}

  EventStoreClient& client() override { return *client_; }
  bool durable() const override { return true; }
  absl::Status Restart() override {
    client_.reset();
    app_.reset();
    app::Modules modules = app::MakeModules(MakeModule());
    ASSIGN_OR_RETURN(
        config::Values values,
        app::TestValues(modules, dir_.path(),
                        {{"event_store.log_count", absl::StrCat(log_count_)},
                         {"event_store.batch_items_max", absl::StrCat(kTestBatchItemsMax)}}));
    ASSIGN_OR_RETURN(app_, app::App::Start(std::move(modules), std::move(values)));
    client_ = std::make_unique<RpcEventStore>(app_->channel());
    return absl::OkStatus();
  }

 private:
  const uint32_t log_count_;
  testing::TempDir dir_;
  std::unique_ptr<app::App> app_;
  std::unique_ptr<RpcEventStore> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreHost>> MakeWireHost(uint32_t log_count) {
  auto host = std::make_unique<WireHost>(log_count);
  RETURN_IF_ERROR(host->Restart());
  return host;
}

}  // namespace bdcsync::event_store
