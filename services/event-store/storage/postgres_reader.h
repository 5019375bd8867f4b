// The reads of the event store on a pool of PostgreSQL connections: one round trip and one snapshot
// each. Thread-safe.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/sql/postgres.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

class PostgresReader {
 public:
  // `pool` is borrowed.
  explicit PostgresReader(sql::PostgresPool& pool) : pool_(pool) {}

  absl::StatusOr<std::vector<LogState>> LoadLogs(absl::Span<const uint32_t> log_ids);
  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request);
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data);
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places);
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read);
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read);
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read);
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces);
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max);

 private:
  absl::StatusOr<std::vector<SpaceState>> FindSpaces(absl::Span<const SpaceName> spaces);
  absl::StatusOr<std::vector<StreamState>> FindStreams(absl::Span<const StreamName> streams);
  absl::StatusOr<std::vector<OperationState>> FindOperations(
      absl::Span<const OperationName> operations);

  sql::PostgresPool& pool_;
};

}  // namespace bdcsync::event_store
