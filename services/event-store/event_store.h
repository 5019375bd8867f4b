// The immutable log that everything else replays: checks requests, routes spaces to logs, appends
// through the committer and reads from storage. An append is on disk before it is answered; a read
// sees every append that was answered before it began. Thread-safe. Reads block on storage.
//
// Errors of every method: INVALID_ARGUMENT (never retry, the path names the field), UNAVAILABLE
// (storage gave no answer: retry), DATA_LOSS (a damaged record), INTERNAL.
#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/event-store/committer.h"
#include "services/event-store/event_storage.h"

namespace bdcsync::event_store {

class EventStore {
 public:
  // Both are borrowed.
  EventStore(EventStorage& storage, Committer& committer);

  // Never blocks on storage; `done` runs when every item has its result. See Committer::Append.
  absl::Status Append(const v1::AppendRequest& request, v1::AppendResponse& response,
                      absl::AnyInvocable<void()> done);
  // The same, but waits.
  absl::StatusOr<v1::AppendResponse> AppendAndWait(const v1::AppendRequest& request);

  // too_large: the heads together are larger than kHeadsBytesMax: ask for fewer.
  absl::StatusOr<v1::ReadHeadsResponse> ReadHeads(const v1::ReadHeadsRequest& request);
  // too_large: the events together are larger than kHeadsBytesMax: ask for fewer.
  absl::StatusOr<v1::GetOperationsResponse> GetOperations(const v1::GetOperationsRequest& request);
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const v1::ReadStreamRequest& request);
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const v1::ReadSpaceRequest& request);
  // NOT_FOUND: there is no such log.
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const v1::ReadLogRequest& request);
  absl::StatusOr<v1::GetSpaceHeadsResponse> GetSpaceHeads(const v1::GetSpaceHeadsRequest& request);
  // NOT_FOUND: the stream does not exist.
  absl::Status PutSnapshot(const v1::PutSnapshotRequest& request);
  // NOT_FOUND: the stream has no such snapshot.
  absl::StatusOr<v1::GetSnapshotResponse> GetSnapshot(const v1::GetSnapshotRequest& request);
  absl::StatusOr<v1::GetStoreInfoResponse> GetStoreInfo();

  uint32_t log_count() const { return log_count_; }
  uint32_t LogOf(const std::string& space) const { return LogOfSpace(space, log_count_); }

 private:
  StreamName NameOf(const v1::StreamKey& key) const {
    return {LogOf(key.space()), key.space(), key.name()};
  }

  EventStorage& storage_;
  Committer& committer_;
  const uint32_t log_count_;
};

}  // namespace bdcsync::event_store
