#include "services/event-store/storage/postgres_reader.h"

#include <limits>
#include <string>
#include <utility>

#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"
#include "services/event-store/storage/data_codec.h"
#include "services/event-store/storage/postgres_statements.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using sql::PostgresArray;
using sql::PostgresParams;
using sql::PostgresResult;

constexpr int kPositionColumn = 1;
constexpr int kWithinColumn = 15;  // Of kReadHeads and kReadEvents.
constexpr int kHeadColumn = 15;    // Of pages.
constexpr int kEpochColumn = 16;
constexpr int kTotalColumn = 17;

std::string ToString(absl::string_view view) { return std::string(view.data(), view.size()); }

// Reads columns 0-14; `space` stands in for a name that was not selected.
absl::Status FillEvent(const PostgresResult& rows, int row, absl::string_view space, bool with_data,
                       v1::Event& event) {
  event.set_log_id(static_cast<uint32_t>(rows.Int64(row, 0)));
  event.set_position(rows.Int64(row, 1));
  v1::StreamKey& stream = *event.mutable_stream();
  stream.set_space(ToString(rows.IsNull(row, 2) ? space : rows.Text(row, 2)));
  stream.set_name(ToString(rows.Text(row, 3)));
  event.set_kind(static_cast<v1::StreamKind>(rows.Int64(row, 4)));
  event.set_seq(rows.Int64(row, 5));
  event.set_revision(rows.Int64(row, 6));
  event.set_event_id(static_cast<uint64_t>(rows.Int64(row, 7)));
  event.set_time_ms(rows.Int64(row, 8));
  event.set_tombstone(rows.Bool(row, 9));
  event.set_first_seq(rows.Int64(row, 10));
  event.set_meta(rows.Bytes(row, 12));
  if (!with_data) return absl::OkStatus();
  const auto codec = static_cast<Codec>(rows.Int64(row, 13));
  ASSIGN_OR_RETURN(*event.mutable_data(), DecodeData(codec, rows.Bytes(row, 14)));
  return absl::OkStatus();
}

// Fills `events` from a page; `exhausted`: nothing follows it.
absl::Status FillPage(const PostgresResult& rows, absl::string_view space, int limit,
                      bool with_data, google::protobuf::RepeatedPtrField<v1::Event>& events,
                      bool& exhausted) {
  exhausted = true;
  if (rows.size() == 0 || rows.IsNull(0, kPositionColumn)) return absl::OkStatus();
  events.Reserve(rows.size());
  for (int row = 0; row < rows.size(); ++row) {
    RETURN_IF_ERROR(FillEvent(rows, row, space, with_data, *events.Add()));
  }
  const int64_t total = rows.Int64(0, kTotalColumn);
  exhausted = total == rows.size() && total < limit;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Head>> HeadsOf(const PostgresResult& rows, bool with_data,
                                              absl::Span<const StreamName> streams) {
  std::vector<v1::Head> heads(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) {
    if (rows.IsNull(row, kPositionColumn)) continue;
    if (!rows.Bool(row, kWithinColumn)) {
      return MakeError(Reason::kTooLarge, "the events together are too large: ask for fewer");
    }
    const auto i = static_cast<std::size_t>(row);
    const absl::string_view space = streams.empty() ? absl::string_view() : streams[i].space;
    RETURN_IF_ERROR(FillEvent(rows, row, space, with_data, *heads[i].mutable_event()));
  }
  return heads;
}

PostgresParams IdsOf(absl::Span<const StreamName> streams) {
  PostgresArray logs(PostgresArray::kInt32), ids(PostgresArray::kUuid);
  for (const StreamName& stream : streams) {
    logs.AddInt32(static_cast<int32_t>(stream.log_id));
    ids.AddBytes(ViewOf(StreamIdOf(stream.space, stream.stream)));
  }
  PostgresParams params;
  params.Add(std::move(logs)).Add(std::move(ids));
  return params;
}

PostgresParams NamesOf(absl::Span<const SpaceName> spaces) {
  PostgresArray logs(PostgresArray::kInt32), names(PostgresArray::kText);
  for (const SpaceName& space : spaces) {
    logs.AddInt32(static_cast<int32_t>(space.log_id));
    names.AddBytes(space.space);
  }
  PostgresParams params;
  params.Add(std::move(logs)).Add(std::move(names));
  return params;
}

PostgresParams IdOf(const StreamName& stream) {
  PostgresParams params;
  params.AddInt32(static_cast<int32_t>(stream.log_id));
  params.AddBytes(ViewOf(StreamIdOf(stream.space, stream.stream)));
  return params;
}

}  // namespace

absl::StatusOr<std::vector<LogState>> PostgresReader::LoadLogs(absl::Span<const uint32_t> log_ids) {
  PostgresArray ids(PostgresArray::kInt32);
  for (const uint32_t id : log_ids) ids.AddInt32(static_cast<int32_t>(id));
  PostgresParams params;
  params.AddBool(log_ids.empty()).Add(std::move(ids));
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kLoadLogs, params));
  std::vector<LogState> logs(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) {
    LogState& log = logs[static_cast<std::size_t>(row)];
    log.log_id = static_cast<uint32_t>(rows.Int64(row, 0));
    log.epoch = static_cast<uint64_t>(rows.Int64(row, 1));
    log.next_position = rows.Int64(row, 2);
    log.next_space_id = rows.Int64(row, 3);
    log.time_ms = rows.Int64(row, 4);
  }
  return logs;
}

absl::StatusOr<std::vector<SpaceState>> PostgresReader::FindSpaces(
    absl::Span<const SpaceName> spaces) {
  std::vector<SpaceState> found;
  if (spaces.empty()) return found;
  ASSIGN_OR_RETURN(const PostgresResult rows,
                   pool_.Execute(postgres::kFindSpaces, NamesOf(spaces)));
  for (int row = 0; row < rows.size(); ++row) {
    found.push_back({rows.Int64(row, 0), rows.Int64(row, 1)});
  }
  return found;
}

absl::StatusOr<std::vector<StreamState>> PostgresReader::FindStreams(
    absl::Span<const StreamName> streams) {
  std::vector<StreamState> found;
  if (streams.empty()) return found;
  ASSIGN_OR_RETURN(const PostgresResult rows,
                   pool_.Execute(postgres::kFindStreams, IdsOf(streams)));
  for (int row = 0; row < rows.size(); ++row) {
    found.push_back({rows.Int64(row, 0), rows.Int64(row, 1), rows.Int64(row, 2),
                     static_cast<uint64_t>(rows.Int64(row, 3)), rows.Int64(row, 4),
                     static_cast<v1::StreamKind>(rows.Int64(row, 5))});
  }
  return found;
}

absl::StatusOr<std::vector<OperationState>> PostgresReader::FindOperations(
    absl::Span<const OperationName> operations) {
  std::vector<OperationState> found;
  if (operations.empty()) return found;
  PostgresArray logs(PostgresArray::kInt32), spaces(PostgresArray::kText);
  PostgresArray keys(PostgresArray::kUuid);
  for (const OperationName& operation : operations) {
    logs.AddInt32(static_cast<int32_t>(operation.log_id));
    spaces.AddBytes(operation.space);
    keys.AddBytes(ViewOf(operation.key));
  }
  PostgresParams params;
  params.Add(std::move(logs)).Add(std::move(spaces)).Add(std::move(keys));
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kFindOperations, params));
  for (int row = 0; row < rows.size(); ++row) {
    found.push_back({rows.Int64(row, 0), static_cast<uint64_t>(rows.Int64(row, 1))});
  }
  return found;
}

absl::StatusOr<LookupResult> PostgresReader::Lookup(const LookupRequest& request) {
  LookupResult result;
  ASSIGN_OR_RETURN(result.spaces, FindSpaces(request.spaces));
  ASSIGN_OR_RETURN(result.streams, FindStreams(request.streams));
  ASSIGN_OR_RETURN(result.operations, FindOperations(request.operations));
  return result;
}

absl::StatusOr<std::vector<v1::Head>> PostgresReader::ReadHeads(
    absl::Span<const StreamName> streams, bool with_data) {
  PostgresParams params = IdsOf(streams);
  params.AddBool(with_data).AddInt64(kHeadsBytesMax);
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kReadHeads, params));
  return HeadsOf(rows, with_data, streams);
}

absl::StatusOr<std::vector<v1::Head>> PostgresReader::ReadEvents(
    absl::Span<const EventPlace> places) {
  PostgresArray logs(PostgresArray::kInt32), positions(PostgresArray::kInt64);
  for (const EventPlace& place : places) {
    logs.AddInt32(static_cast<int32_t>(place.log_id));
    positions.AddInt64(place.position);
  }
  PostgresParams params;
  params.Add(std::move(logs)).Add(std::move(positions)).AddInt64(kHeadsBytesMax);
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kReadEvents, params));
  return HeadsOf(rows, /*with_data=*/true, {});
}

absl::StatusOr<v1::ReadStreamResponse> PostgresReader::ReadStream(const StreamRead& read) {
  const bool from_head = read.backward && read.from_revision == 0;
  PostgresParams params = IdOf(read.stream);
  params.AddInt64(from_head ? std::numeric_limits<int64_t>::max() : read.from_revision);
  params.AddInt64(read.limit).AddInt64(read.bytes_max).AddBool(read.with_data);
  params.AddInt64(read.until_time_ms);
  ASSIGN_OR_RETURN(
      const PostgresResult rows,
      pool_.Execute(read.backward ? postgres::kReadStreamBackward : postgres::kReadStreamForward,
                    params));
  v1::ReadStreamResponse page;
  if (rows.size() == 0) return page;
  page.set_head_revision(rows.Int64(0, kHeadColumn));
  bool exhausted = false;
  RETURN_IF_ERROR(FillPage(rows, read.stream.space, read.limit, read.with_data,
                           *page.mutable_events(), exhausted));
  return page;
}

absl::StatusOr<v1::ReadSpaceResponse> PostgresReader::ReadSpace(const SpaceRead& read) {
  PostgresParams params;
  params.AddInt32(static_cast<int32_t>(read.space.log_id)).AddBytes(read.space.space);
  params.AddInt64(read.after_seq).AddInt64(read.limit).AddInt64(read.bytes_max);
  params.AddBool(read.with_data).AddBool(read.with_tombstones);
  params.AddInt16(static_cast<int16_t>(read.kind));
  ASSIGN_OR_RETURN(
      const PostgresResult rows,
      pool_.Execute(read.latest ? postgres::kReadSpaceLatest : postgres::kReadSpaceAll, params));
  v1::ReadSpaceResponse page;
  if (rows.size() == 0) return MakeErrorAt(Reason::kNotFound, "space", "its log is not here");
  page.set_head_seq(rows.Int64(0, kHeadColumn));
  page.set_epoch(static_cast<uint64_t>(rows.Int64(0, kEpochColumn)));
  bool exhausted = false;
  RETURN_IF_ERROR(FillPage(rows, read.space.space, read.limit, read.with_data,
                           *page.mutable_events(), exhausted));
  page.set_next_seq(exhausted ? page.head_seq() : page.events(page.events_size() - 1).seq());
  return page;
}

absl::StatusOr<v1::ReadLogResponse> PostgresReader::ReadLog(const LogRead& read) {
  PostgresParams params;
  params.AddInt32(static_cast<int32_t>(read.log_id)).AddInt64(read.after_position);
  params.AddInt64(read.limit).AddInt64(read.bytes_max).AddBool(read.with_data);
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kReadLog, params));
  v1::ReadLogResponse page;
  if (rows.size() == 0) return MakeErrorAt(Reason::kNotFound, "log_id", "there is no such log");
  page.set_head_position(rows.Int64(0, kHeadColumn));
  page.set_epoch(static_cast<uint64_t>(rows.Int64(0, kEpochColumn)));
  bool exhausted = false;
  RETURN_IF_ERROR(
      FillPage(rows, "", read.limit, read.with_data, *page.mutable_events(), exhausted));
  return page;
}

absl::StatusOr<std::vector<SpaceHead>> PostgresReader::SpaceHeads(
    absl::Span<const SpaceName> spaces) {
  ASSIGN_OR_RETURN(const PostgresResult rows,
                   pool_.Execute(postgres::kFindSpaces, NamesOf(spaces)));
  std::vector<SpaceHead> heads;
  heads.reserve(rows.size());
  for (int row = 0; row < rows.size(); ++row) {
    heads.push_back({static_cast<uint64_t>(rows.Int64(row, 2)), rows.Int64(row, 1)});
  }
  return heads;
}

absl::StatusOr<Snapshot> PostgresReader::GetSnapshot(const StreamName& stream,
                                                     int64_t revision_max) {
  PostgresParams params = IdOf(stream);
  params.AddInt64(revision_max);
  ASSIGN_OR_RETURN(const PostgresResult rows, pool_.Execute(postgres::kGetSnapshot, params));
  if (rows.size() == 0) {
    return MakeError(Reason::kNotFound, "the stream has no such snapshot");
  }
  Snapshot snapshot;
  snapshot.revision = rows.Int64(0, 0);
  ASSIGN_OR_RETURN(snapshot.data,
                   DecodeData(static_cast<Codec>(rows.Int64(0, 1)), rows.Bytes(0, 2)));
  return snapshot;
}

}  // namespace bdcsync::event_store
