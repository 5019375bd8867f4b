// The event store as its suite uses it: in this process, or over the wire through its gRPC service.
// For tests. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bdcsync/event_store/v1/event_store.pb.h"
#include "libs/base/clock.h"
#include "services/event-store/conformance/event_storage_conformance.h"

namespace bdcsync::event_store {

class EventStoreClient {
 public:
  virtual ~EventStoreClient() = default;
  virtual absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) = 0;
  virtual absl::StatusOr<v1::ReadHeadsResponse> ReadHeads(const v1::ReadHeadsRequest& request) = 0;
  virtual absl::StatusOr<v1::GetOperationsResponse> GetOperations(
      const v1::GetOperationsRequest& request) = 0;
  virtual absl::StatusOr<v1::ReadStreamResponse> ReadStream(
      const v1::ReadStreamRequest& request) = 0;
  virtual absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const v1::ReadSpaceRequest& request) = 0;
  virtual absl::StatusOr<v1::ReadLogResponse> ReadLog(const v1::ReadLogRequest& request) = 0;
  virtual absl::StatusOr<v1::GetSpaceHeadsResponse> GetSpaceHeads(
      const v1::GetSpaceHeadsRequest& request) = 0;
  virtual absl::Status PutSnapshot(const v1::PutSnapshotRequest& request) = 0;
  virtual absl::StatusOr<v1::GetSnapshotResponse> GetSnapshot(
      const v1::GetSnapshotRequest& request) = 0;
  virtual absl::StatusOr<v1::GetStoreInfoResponse> GetStoreInfo() = 0;
};

// What a client reaches, for one test.
class StoreHost {
 public:
  virtual ~StoreHost() = default;
  virtual EventStoreClient& client() = 0;
  // Stops the store and starts it again on what it has kept.
  virtual absl::Status Restart() = 0;
  virtual bool durable() const = 0;
};

struct HostParam {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<StoreHost>>()> make;
  bool needs_postgres = false;
};
std::string HostName(const ::testing::TestParamInfo<HostParam>& info);

// The store in this process on `backend`, with `log_count` logs and batches of kTestBatchItemsMax.
absl::StatusOr<std::unique_ptr<StoreHost>> MakeLocalHost(std::unique_ptr<StorageBackend> backend,
                                                         uint32_t log_count);
// The module behind a real port, on SQLite in a folder.
absl::StatusOr<std::unique_ptr<StoreHost>> MakeWireHost(uint32_t log_count);

inline constexpr std::size_t kTestBatchItemsMax = 8;

}  // namespace bdcsync::event_store
