// The reads of the event store over one SQLite connection, on prepared statements. One thread at a
// time; each call sees one snapshot.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/sql/sqlite.h"
#include "services/event-store/store_types.h"

namespace bdcsync::event_store {

class SqliteReader {
 public:
  // `database` is borrowed.
  static absl::StatusOr<std::unique_ptr<SqliteReader>> Create(sql::SqliteDatabase& database);

  absl::StatusOr<LookupResult> Lookup(const LookupRequest& request);
  absl::StatusOr<std::vector<v1::Head>> ReadHeads(absl::Span<const StreamName> streams,
                                                  bool with_data);
  absl::StatusOr<std::vector<v1::Head>> ReadEvents(absl::Span<const EventPlace> places);
  absl::StatusOr<v1::ReadStreamResponse> ReadStream(const StreamRead& read);
  absl::StatusOr<v1::ReadSpaceResponse> ReadSpace(const SpaceRead& read);
  absl::StatusOr<v1::ReadLogResponse> ReadLog(const LogRead& read);
  absl::StatusOr<std::vector<SpaceHead>> SpaceHeads(absl::Span<const SpaceName> spaces);
  absl::StatusOr<Snapshot> GetSnapshot(const StreamName& stream, int64_t revision_max);
  absl::StatusOr<LogState> LoadLog(uint32_t log_id);
  absl::StatusOr<std::vector<LogState>> LoadAllLogs();

 private:
  struct Page;
  explicit SqliteReader(sql::SqliteDatabase& database) : database_(database) {}
  absl::Status Prepare();
  absl::StatusOr<SpaceState> FindSpace(const SpaceName& space);
  absl::StatusOr<StreamState> FindStream(const StreamName& stream);
  absl::StatusOr<OperationState> FindOperation(const OperationName& operation);
  // Appends the event at a place to `heads`, unset if there is none, and its size to `bytes`.
  absl::Status AppendEvent(EventPlace place, bool with_data, std::vector<v1::Head>& heads,
                           int64_t& bytes);
  // Adds the rows of a bound statement to a page while there is room.
  absl::Status FillPage(sql::SqliteStatement& rows, Page& page);
  absl::Status FillFromFirst(const StreamRead& read, const StreamState& state, Page& page);
  absl::Status FillFromLater(const StreamRead& read, const StreamState& state, Page& page);

  sql::SqliteDatabase& database_;
  sql::SqliteStatement find_space_;
  sql::SqliteStatement find_stream_;
  sql::SqliteStatement find_operation_;
  sql::SqliteStatement event_;
  sql::SqliteStatement stream_first_;
  sql::SqliteStatement stream_forward_;
  sql::SqliteStatement stream_backward_;
  sql::SqliteStatement space_all_;
  sql::SqliteStatement space_latest_;
  sql::SqliteStatement log_events_;
  sql::SqliteStatement log_;
  sql::SqliteStatement all_logs_;
  sql::SqliteStatement snapshot_;
};

}  // namespace bdcsync::event_store
