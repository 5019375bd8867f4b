#include "services/event-store/storage/sqlite_reader.h"

#include <limits>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "libs/sql/sqlite_use.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/sqlite_statements.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using sql::SqliteStatement;
using sql::SqliteUse;

constexpr int kBytesColumn = 11;
constexpr int kMetaColumn = 12;
constexpr int kWithDataParameter = 9;

std::string ToString(absl::string_view view) { return std::string(view.data(), view.size()); }

// Reads the columns of BDC_EVENT_COLUMNS; `space` stands in for a name that was not selected.
absl::Status FillEvent(const SqliteStatement& row, absl::string_view space, bool with_data,
                       v1::Event& event) {
  event.set_log_id(static_cast<uint32_t>(row.Int64(0)));
  event.set_position(row.Int64(1));
  v1::StreamKey& stream = *event.mutable_stream();
  stream.set_space(ToString(row.IsNull(2) ? space : row.Text(2)));
  stream.set_name(ToString(row.Text(3)));
  event.set_kind(static_cast<v1::StreamKind>(row.Int64(4)));
  event.set_seq(row.Int64(5));
  event.set_revision(row.Int64(6));
  event.set_event_id(static_cast<uint64_t>(row.Int64(7)));
  event.set_time_ms(row.Int64(8));
  event.set_tombstone(row.Int64(9) != 0);
  event.set_first_seq(row.Int64(10));
  event.set_meta(ToString(row.Blob(kMetaColumn)));
  if (!with_data) return absl::OkStatus();
  ASSIGN_OR_RETURN(*event.mutable_data(),
                   DecodeData(static_cast<Codec>(row.Int64(13)), ToString(row.Blob(14))));
  return absl::OkStatus();
}

// What the event takes of a limit of bytes: data that is left out takes nothing.
int64_t BytesOf(const SqliteStatement& row, bool with_data) {
  return with_data ? row.Int64(kBytesColumn) : static_cast<int64_t>(row.Blob(kMetaColumn).size());
}

LogState LogOf(const SqliteStatement& row) {
  LogState log;
  log.log_id = static_cast<uint32_t>(row.Int64(0));
  log.epoch = static_cast<uint64_t>(row.Int64(1));
  log.next_position = row.Int64(2);
  log.next_space_id = row.Int64(3);
  log.time_ms = row.Int64(4);
  return log;
}

absl::Status TooManyBytes() {
  return MakeError(Reason::kTooLarge, "the events together are too large: ask for fewer");
}

}  // namespace

// A page that is being filled, by one statement or several.
struct SqliteReader::Page {
  absl::string_view space;
  int limit = 0;
  int64_t bytes_max = 0;
  bool with_data = true;
  google::protobuf::RepeatedPtrField<v1::Event>& events;
  int64_t bytes = 0;
  bool full = false;  // An event did not fit, or may not.
};

absl::StatusOr<std::unique_ptr<SqliteReader>> SqliteReader::Create(sql::SqliteDatabase& database) {
  std::unique_ptr<SqliteReader> reader(new SqliteReader(database));
  RETURN_IF_ERROR(reader->Prepare());
  return reader;
}

absl::Status SqliteReader::Prepare() {
  const std::pair<SqliteStatement&, const char*> statements[] = {
      {find_space_, sqlite::kFindSpace},
      {find_stream_, sqlite::kFindStream},
      {find_operation_, sqlite::kFindOperation},
      {event_, sqlite::kEvent},
      {stream_first_, sqlite::kStreamFirst},
      {stream_forward_, sqlite::kStreamForward},
      {stream_backward_, sqlite::kStreamBackward},
      {space_all_, sqlite::kSpaceAll},
      {space_latest_, sqlite::kSpaceLatest},
      {log_events_, sqlite::kLogEvents},
      {log_, sqlite::kLog},
      {all_logs_, sqlite::kAllLogs},
      {snapshot_, sqlite::kSnapshot},
  };
  for (const auto& [statement, text] : statements) {
    ASSIGN_OR_RETURN(statement, database_.Prepare(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<SpaceState> SqliteReader::FindSpace(const SpaceName& space) {
  const SqliteUse use(find_space_);
  find_space_.BindInt64(1, space.log_id);
  find_space_.BindText(2, space.space);
  ASSIGN_OR_RETURN(const bool found, find_space_.Step());
  if (!found) return SpaceState();
  return SpaceState{find_space_.Int64(0), find_space_.Int64(1)};
}

absl::StatusOr<StreamState> SqliteReader::FindStream(const StreamName& stream) {
  const SqliteUse use(find_stream_);
  const StreamId stream_id = StreamIdOf(stream.space, stream.stream);
  find_stream_.BindInt64(1, stream.log_id);
  find_stream_.BindBlob(2, ViewOf(stream_id));
  ASSIGN_OR_RETURN(const bool found, find_stream_.Step());
  if (!found) return StreamState();
  return StreamState{find_stream_.Int64(0), find_stream_.Int64(1),
                     find_stream_.Int64(2), static_cast<uint64_t>(find_stream_.Int64(3)),
                     find_stream_.Int64(4), static_cast<v1::StreamKind>(find_stream_.Int64(5))};
}

absl::StatusOr<OperationState> SqliteReader::FindOperation(const OperationName& operation) {
  const SqliteUse use(find_operation_);
  find_operation_.BindInt64(1, operation.log_id);
  find_operation_.BindText(2, operation.space);
  find_operation_.BindBlob(3, ViewOf(operation.key));
  ASSIGN_OR_RETURN(const bool found, find_operation_.Step());
  if (!found) return OperationState();
  return OperationState{find_operation_.Int64(0), static_cast<uint64_t>(find_operation_.Int64(1))};
}

absl::StatusOr<LookupResult> SqliteReader::Lookup(const LookupRequest& request) {
  LookupResult result;
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    for (const SpaceName& space : request.spaces) {
      ASSIGN_OR_RETURN(result.spaces.emplace_back(), FindSpace(space));
    }
    for (const StreamName& stream : request.streams) {
      ASSIGN_OR_RETURN(result.streams.emplace_back(), FindStream(stream));
    }
    for (const OperationName& operation : request.operations) {
      ASSIGN_OR_RETURN(result.operations.emplace_back(), FindOperation(operation));
    }
    return absl::OkStatus();
  }));
  return result;
}

absl::Status SqliteReader::AppendEvent(EventPlace place, bool with_data,
                                       std::vector<v1::Head>& heads, int64_t& bytes) {
  v1::Head& head = heads.emplace_back();
  if (place.position == 0) return absl::OkStatus();
  const SqliteUse use(event_);
  event_.BindInt64(1, place.log_id);
  event_.BindInt64(2, place.position);
  event_.BindInt64(kWithDataParameter, with_data ? 1 : 0);
  ASSIGN_OR_RETURN(const bool found, event_.Step());
  if (!found) return absl::OkStatus();
  bytes += BytesOf(event_, with_data);
  if (bytes > kHeadsBytesMax) return TooManyBytes();
  return FillEvent(event_, "", with_data, *head.mutable_event());
}

absl::StatusOr<std::vector<v1::Head>> SqliteReader::ReadHeads(absl::Span<const StreamName> streams,
                                                              bool with_data) {
  std::vector<v1::Head> heads;
  heads.reserve(streams.size());
  int64_t bytes = 0;
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    for (const StreamName& stream : streams) {
      ASSIGN_OR_RETURN(const StreamState state, FindStream(stream));
      RETURN_IF_ERROR(AppendEvent({stream.log_id, state.position}, with_data, heads, bytes));
    }
    return absl::OkStatus();
  }));
  return heads;
}

absl::StatusOr<std::vector<v1::Head>> SqliteReader::ReadEvents(
    absl::Span<const EventPlace> places) {
  std::vector<v1::Head> heads;
  heads.reserve(places.size());
  int64_t bytes = 0;
  for (const EventPlace& place : places) {
    RETURN_IF_ERROR(AppendEvent(place, /*with_data=*/true, heads, bytes));
  }
  return heads;
}

absl::Status SqliteReader::FillPage(SqliteStatement& rows, Page& page) {
  while (!page.full) {
    page.full = page.events.size() >= page.limit;
    if (page.full) break;
    ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) break;
    page.bytes += BytesOf(rows, page.with_data);
    page.full = page.bytes > page.bytes_max && !page.events.empty();
    if (page.full) break;
    RETURN_IF_ERROR(FillEvent(rows, page.space, page.with_data, *page.events.Add()));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ReadStreamResponse> SqliteReader::ReadStream(const StreamRead& read) {
  v1::ReadStreamResponse answer;
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const StreamState state, FindStream(read.stream));
    if (state.first_position == 0) return absl::OkStatus();
    answer.set_head_revision(state.revision);
    Page page{read.stream.space, read.limit, read.bytes_max, read.with_data,
              *answer.mutable_events()};
    if (read.backward) RETURN_IF_ERROR(FillFromLater(read, state, page));
    if (read.backward || read.from_revision <= 1) {
      RETURN_IF_ERROR(FillFromFirst(read, state, page));
    }
    if (!read.backward) RETURN_IF_ERROR(FillFromLater(read, state, page));
    return absl::OkStatus();
  }));
  return answer;
}

absl::Status SqliteReader::FillFromFirst(const StreamRead& read, const StreamState& state,
                                         Page& page) {
  const SqliteUse use(stream_first_);
  stream_first_.BindInt64(1, read.stream.log_id);
  stream_first_.BindInt64(2, state.first_position);
  stream_first_.BindInt64(5, read.until_time_ms);
  stream_first_.BindInt64(kWithDataParameter, read.with_data ? 1 : 0);
  return FillPage(stream_first_, page);
}

absl::Status SqliteReader::FillFromLater(const StreamRead& read, const StreamState& state,
                                         Page& page) {
  SqliteStatement& rows = read.backward ? stream_backward_ : stream_forward_;
  const SqliteUse use(rows);
  const bool from_head = read.backward && read.from_revision == 0;
  const StreamId stream_id = StreamIdOf(read.stream.space, read.stream.stream);
  rows.BindInt64(1, read.stream.log_id);
  rows.BindBlob(2, ViewOf(stream_id));
  rows.BindInt64(3, from_head ? state.revision : read.from_revision);
  rows.BindInt64(4, read.limit);
  rows.BindInt64(5, read.until_time_ms);
  rows.BindInt64(kWithDataParameter, read.with_data ? 1 : 0);
  return FillPage(rows, page);
}

absl::StatusOr<v1::ReadSpaceResponse> SqliteReader::ReadSpace(const SpaceRead& read) {
  v1::ReadSpaceResponse answer;
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LogState log, LoadLog(read.space.log_id));
    answer.set_epoch(log.epoch);
    ASSIGN_OR_RETURN(const SpaceState space, FindSpace(read.space));
    if (space.space_id == 0) return absl::OkStatus();
    answer.set_head_seq(space.seq);
    SqliteStatement& rows = read.latest ? space_latest_ : space_all_;
    const SqliteUse use(rows);
    rows.BindInt64(1, read.space.log_id);
    rows.BindInt64(2, space.space_id);
    rows.BindInt64(3, read.after_seq);
    rows.BindInt64(4, read.limit);
    rows.BindInt64(5, read.with_tombstones ? 1 : 0);
    rows.BindInt64(6, read.kind);
    rows.BindInt64(kWithDataParameter, read.with_data ? 1 : 0);
    Page page{read.space.space, read.limit, read.bytes_max, read.with_data,
              *answer.mutable_events()};
    RETURN_IF_ERROR(FillPage(rows, page));
    answer.set_next_seq(page.full ? answer.events(answer.events_size() - 1).seq() : space.seq);
    return absl::OkStatus();
  }));
  return answer;
}

absl::StatusOr<v1::ReadLogResponse> SqliteReader::ReadLog(const LogRead& read) {
  v1::ReadLogResponse answer;
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LogState log, LoadLog(read.log_id));
    answer.set_epoch(log.epoch);
    answer.set_head_position(log.next_position - 1);
    const SqliteUse use(log_events_);
    log_events_.BindInt64(1, read.log_id);
    log_events_.BindInt64(2, read.after_position);
    log_events_.BindInt64(3, read.limit);
    log_events_.BindInt64(kWithDataParameter, read.with_data ? 1 : 0);
    Page page{"", read.limit, read.bytes_max, read.with_data, *answer.mutable_events()};
    return FillPage(log_events_, page);
  }));
  return answer;
}

absl::StatusOr<std::vector<SpaceHead>> SqliteReader::SpaceHeads(
    absl::Span<const SpaceName> spaces) {
  std::vector<SpaceHead> heads;
  heads.reserve(spaces.size());
  RETURN_IF_ERROR(database_.ReadTransaction([&]() -> absl::Status {
    for (const SpaceName& space : spaces) {
      ASSIGN_OR_RETURN(const LogState log, LoadLog(space.log_id));
      ASSIGN_OR_RETURN(const SpaceState state, FindSpace(space));
      heads.push_back({log.epoch, state.seq});
    }
    return absl::OkStatus();
  }));
  return heads;
}

absl::StatusOr<Snapshot> SqliteReader::GetSnapshot(const StreamName& stream, int64_t revision_max) {
  const SqliteUse use(snapshot_);
  const StreamId stream_id = StreamIdOf(stream.space, stream.stream);
  snapshot_.BindInt64(1, stream.log_id);
  snapshot_.BindBlob(2, ViewOf(stream_id));
  snapshot_.BindInt64(3, revision_max);
  ASSIGN_OR_RETURN(const bool found, snapshot_.Step());
  if (!found) return MakeError(Reason::kNotFound, "the stream has no such snapshot");
  Snapshot snapshot;
  snapshot.revision = snapshot_.Int64(0);
  ASSIGN_OR_RETURN(snapshot.data,
                   DecodeData(static_cast<Codec>(snapshot_.Int64(1)), ToString(snapshot_.Blob(2))));
  return snapshot;
}

absl::StatusOr<LogState> SqliteReader::LoadLog(uint32_t log_id) {
  const SqliteUse use(log_);
  log_.BindInt64(1, log_id);
  ASSIGN_OR_RETURN(const bool found, log_.Step());
  if (!found) return MakeErrorAt(Reason::kNotFound, "log_id", "there is no such log");
  return LogOf(log_);
}

absl::StatusOr<std::vector<LogState>> SqliteReader::LoadAllLogs() {
  const SqliteUse use(all_logs_);
  std::vector<LogState> logs;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, all_logs_.Step());
    if (!more) return logs;
    logs.push_back(LogOf(all_logs_));
  }
}

}  // namespace bdcsync::event_store
