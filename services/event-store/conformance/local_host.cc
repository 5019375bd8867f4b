#include <utility>

#include "libs/base/status.h"
#include "services/event-store/conformance/event_store_client.h"
#include "services/event-store/conformance/test_store.h"

namespace bdcsync::event_store {
namespace {

class LocalClient final : public EventStoreClient {
 public:
  explicit LocalClient(EventStore& store) : store_(store) {}
  absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    return store_.AppendAndWait(request);
  }
  absl::StatusOr<v1::ReadHeadsResponse> ReadHeads(const v1::ReadHeadsRequest& request) override {
    return store_.ReadHeads(request);
  }
  absl::StatusOr<v1::GetOperationsResponse> GetOperations(
      const v1::GetOperationsRequest& request) override {
    return store_.GetOperations(request);
  }
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const v1::ReadStreamRequest& request) override {
    return store_.ReadStream(request);
  }
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const v1::ReadSpaceRequest& request) override {
    return store_.ReadSpace(request);
  }
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const v1::ReadLogRequest& request) override {
    return store_.ReadLog(request);
  }
  absl::StatusOr<v1::GetSpaceHeadsResponse> GetSpaceHeads(
      const v1::GetSpaceHeadsRequest& request) override {
    return store_.GetSpaceHeads(request);
  }
  absl::Status PutSnapshot(const v1::PutSnapshotRequest& request) override {
    return store_.PutSnapshot(request);
  }
  absl::StatusOr<v1::GetSnapshotResponse> GetSnapshot(
      const v1::GetSnapshotRequest& request) override {
    return store_.GetSnapshot(request);
  }
  absl::StatusOr<v1::GetStoreInfoResponse> GetStoreInfo() override { return store_.GetStoreInfo(); }

 private:
  EventStore& store_;
};

class LocalHost final : public StoreHost {
 public:
  LocalHost(std::unique_ptr<StorageBackend> backend, uint32_t log_count)
      : backend_(std::move(backend)), log_count_(log_count) {}

  EventStoreClient& client() override { return *client_; }
  bool durable() const override { return backend_->durable(); }
  absl::Status Restart() override {
    client_.reset();
    store_.reset();
    storage_.reset();
    EventStorageOptions options;
    options.log_count = log_count_;
    ASSIGN_OR_RETURN(storage_, backend_->Open(options));
    store_ =
        std::make_unique<TestStore>(*storage_, clock_, sink_, /*writers=*/2, kTestBatchItemsMax);
    client_ = std::make_unique<LocalClient>(store_->store());
    return absl::OkStatus();
  }

 private:
  const std::unique_ptr<StorageBackend> backend_;
  const uint32_t log_count_;
  SystemClock clock_;
  IgnoringSink sink_;
  std::unique_ptr<EventStorage> storage_;
  std::unique_ptr<TestStore> store_;
  std::unique_ptr<LocalClient> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoreHost>> MakeLocalHost(std::unique_ptr<StorageBackend> backend,
                                                         uint32_t log_count) {
  auto host = std::make_unique<LocalHost>(std::move(backend), log_count);
  RETURN_IF_ERROR(host->Restart());
  return host;
}

}  // namespace bdcsync::event_store
