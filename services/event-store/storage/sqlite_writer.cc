#include "services/event-store/storage/sqlite_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"
#include "libs/base/status.h"
#include "services/event-store/limits.h"
#include "services/event-store/stream_id.h"

namespace bdcsync::event_store {
namespace {

using sql::SqliteStatement;

constexpr char kMoveHead[] =
    "UPDATE log_heads SET next_position = ?4, next_space_id = ?5, last_time_ms = ?6 "
    "WHERE log_id = ?1 AND epoch = ?2 AND next_position = ?3";
constexpr char kAddSpace[] = "INSERT INTO spaces(log_id, space_id, name) VALUES (?1, ?2, ?3)";
constexpr char kAddStream[] =
    "INSERT INTO streams(log_id, stream_id, space_id, first_position, first_seq, head_revision, "
    "last_seq, last_position, head_event_id, kind, tombstone, name) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
constexpr char kMoveStream[] =
    "UPDATE streams SET head_revision = ?3, last_seq = ?4, last_position = ?5, "
    "head_event_id = ?6, tombstone = ?7 WHERE log_id = ?1 AND stream_id = ?2";
constexpr char kAddEvent[] =
    "INSERT INTO events(place, log_id, space_id, seq, stream_id, revision, event_id, time_ms, "
    "tombstone, codec, bytes, meta, data) "
    "VALUES ((?1 << 40) + ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
constexpr char kAddOperation[] =
    "INSERT INTO operation_keys(log_id, space_id, op_key, request_hash, position, time_ms) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
constexpr char kReplaceEpoch[] =
    "UPDATE log_heads SET epoch = ?4 WHERE log_id = ?1 AND epoch = ?2 AND next_position = ?3";
constexpr char kPutSnapshot[] =
    "INSERT INTO snapshots(log_id, stream_id, revision, codec, data) "
    "SELECT log_id, stream_id, ?3, ?4, ?5 FROM streams WHERE log_id = ?1 AND stream_id = ?2 "
    "ON CONFLICT (log_id, stream_id) DO UPDATE "
    "SET revision = max(revision, excluded.revision), "
    "codec = CASE WHEN excluded.revision >= revision THEN excluded.codec ELSE codec END, "
    "data = CASE WHEN excluded.revision >= revision THEN excluded.data ELSE data END";
// Of the ?3 rows after ?2: how many there are, the last, how many are old, and the earliest time of
// the others.
constexpr char kLookAtOperations[] =
    "SELECT count(*), max(number), count(*) FILTER (WHERE time_ms < ?1), "
    "min(time_ms) FILTER (WHERE time_ms >= ?1) FROM (SELECT number, time_ms FROM operation_keys "
    "WHERE number > ?2 ORDER BY number LIMIT ?3)";
constexpr char kForgetOperations[] =
    "DELETE FROM operation_keys WHERE number > ?2 AND number <= ?3 AND time_ms < ?1";

constexpr int kLooksMax = 8;  // In one sweep, each at no more rows than it may forget.

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteWriter>> SqliteWriter::Create(sql::SqliteDatabase& database) {
  std::unique_ptr<SqliteWriter> writer(new SqliteWriter(database));
  RETURN_IF_ERROR(writer->Prepare());
  return writer;
}

absl::Status SqliteWriter::Prepare() {
  const std::pair<SqliteStatement&, const char*> statements[] = {
      {move_head_, kMoveHead},
      {add_space_, kAddSpace},
      {add_stream_, kAddStream},
      {move_stream_, kMoveStream},
      {add_event_, kAddEvent},
      {add_operation_, kAddOperation},
      {replace_epoch_, kReplaceEpoch},
      {put_snapshot_, kPutSnapshot},
      {look_at_operations_, kLookAtOperations},
      {forget_operations_, kForgetOperations},
  };
  for (const auto& [statement, text] : statements) {
    ASSIGN_OR_RETURN(statement, database_.Prepare(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> SqliteWriter::OpenStore(const EventStorageOptions& options,
                                                 absl::FunctionRef<uint64_t()> make_epoch) {
  uint32_t log_count = options.log_count == 0 ? kNewStoreLogCount : options.log_count;
  RETURN_IF_ERROR(database_.Transaction([&]() -> absl::Status {
    {
      ASSIGN_OR_RETURN(SqliteStatement stored, database_.Prepare("SELECT log_count FROM store"));
      ASSIGN_OR_RETURN(const bool exists, stored.Step());
      if (exists && options.log_count != 0 && stored.Int64(0) != options.log_count) {
        return absl::FailedPreconditionError(absl::StrCat(
            "the store was created with ", stored.Int64(0), " logs and event_store.log_count says ",
            options.log_count, ": the number is fixed, set the key to ", stored.Int64(0)));
      }
      if (exists) {
        log_count = static_cast<uint32_t>(stored.Int64(0));
        return absl::OkStatus();
      }
    }
    RETURN_IF_ERROR(database_.Run(
        absl::StrCat("INSERT INTO store(only_row, log_count) VALUES (1, ", log_count, ")")));
    for (uint32_t log_id = 0; log_id < log_count; ++log_id) {
      RETURN_IF_ERROR(database_.Run(
          absl::StrCat("INSERT INTO log_heads(log_id, epoch, next_position, next_space_id, "
                       "last_time_ms) VALUES (",
                       log_id, ", ", static_cast<int64_t>(make_epoch()), ", 1, 1, 0)")));
    }
    return absl::OkStatus();
  }));
  return log_count;
}

absl::StatusOr<bool> SqliteWriter::MoveHead(const LogWrite& write) {
  move_head_.BindInt64(1, write.log_id);
  move_head_.BindInt64(2, static_cast<int64_t>(write.epoch));
  move_head_.BindInt64(3, write.position);
  move_head_.BindInt64(4, write.next_position);
  move_head_.BindInt64(5, write.next_space_id);
  move_head_.BindInt64(6, write.time_ms);
  RETURN_IF_ERROR(move_head_.Run());
  return database_.changes() == 1;
}

absl::Status SqliteWriter::WriteStreams(const LogWrite& write) {
  for (const LogWrite::Space& space : write.spaces) {
    add_space_.BindInt64(1, write.log_id);
    add_space_.BindInt64(2, space.space_id);
    add_space_.BindText(3, space.name);
    RETURN_IF_ERROR(add_space_.Run());
  }
  for (const LogWrite::Stream& stream : write.streams) {
    RETURN_IF_ERROR(stream.is_new ? AddStream(write, stream) : MoveStream(write, stream));
  }
  return absl::OkStatus();
}

absl::Status SqliteWriter::AddStream(const LogWrite& write, const LogWrite::Stream& stream) {
  add_stream_.BindInt64(1, write.log_id);
  add_stream_.BindBlob(2, ViewOf(stream.stream_id));
  add_stream_.BindInt64(3, stream.space_id);
  add_stream_.BindInt64(4, stream.state.first_position);
  add_stream_.BindInt64(5, stream.state.first_seq);
  add_stream_.BindInt64(6, stream.state.revision);
  add_stream_.BindInt64(7, stream.seq);
  add_stream_.BindInt64(8, stream.state.position);
  add_stream_.BindInt64(9, static_cast<int64_t>(stream.state.event_id));
  add_stream_.BindInt64(10, stream.state.kind);
  add_stream_.BindInt64(11, stream.tombstone ? 1 : 0);
  add_stream_.BindText(12, stream.name);
  return add_stream_.Run();
}

absl::Status SqliteWriter::MoveStream(const LogWrite& write, const LogWrite::Stream& stream) {
  move_stream_.BindInt64(1, write.log_id);
  move_stream_.BindBlob(2, ViewOf(stream.stream_id));
  move_stream_.BindInt64(3, stream.state.revision);
  move_stream_.BindInt64(4, stream.seq);
  move_stream_.BindInt64(5, stream.state.position);
  move_stream_.BindInt64(6, static_cast<int64_t>(stream.state.event_id));
  move_stream_.BindInt64(7, stream.tombstone ? 1 : 0);
  RETURN_IF_ERROR(move_stream_.Run());
  if (database_.changes() == 1) return absl::OkStatus();
  return absl::InternalError("a known stream has no row");
}

absl::Status SqliteWriter::WriteEvents(const LogWrite& write) {
  for (const LogWrite::Event& event : write.events) {
    const DataCodec::Encoded data = codec_.Encode(event.data);
    add_event_.BindInt64(1, write.log_id);
    add_event_.BindInt64(2, event.position);
    add_event_.BindInt64(3, event.space_id);
    add_event_.BindInt64(4, event.seq);
    add_event_.BindBlob(5, ViewOf(event.stream_id));
    add_event_.BindInt64(6, event.revision);
    add_event_.BindInt64(7, static_cast<int64_t>(event.event_id));
    add_event_.BindInt64(8, write.time_ms);
    add_event_.BindInt64(9, event.tombstone ? 1 : 0);
    add_event_.BindInt64(10, static_cast<int64_t>(data.codec));
    add_event_.BindInt64(11, static_cast<int64_t>(event.meta.size() + event.data.size()));
    add_event_.BindBlob(12, event.meta);
    add_event_.BindBlob(13, data.bytes);
    RETURN_IF_ERROR(add_event_.Run());
  }
  for (const LogWrite::Operation& operation : write.operations) {
    add_operation_.BindInt64(1, write.log_id);
    add_operation_.BindInt64(2, operation.space_id);
    add_operation_.BindBlob(3, ViewOf(operation.key));
    add_operation_.BindInt64(4, static_cast<int64_t>(operation.request_hash));
    add_operation_.BindInt64(5, operation.position);
    add_operation_.BindInt64(6, write.time_ms);
    RETURN_IF_ERROR(add_operation_.Run());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<bool>> SqliteWriter::Apply(absl::Span<const LogWrite> writes) {
  std::vector<bool> applied;
  for (const LogWrite& write : writes) {
    ASSIGN_OR_RETURN(const bool won, MoveHead(write));
    applied.push_back(won);
    if (!won) continue;
    RETURN_IF_ERROR(WriteStreams(write));
    RETURN_IF_ERROR(WriteEvents(write));
  }
  return applied;
}

absl::Status SqliteWriter::ReplaceEpoch(const LogState& expected, uint64_t epoch) {
  replace_epoch_.BindInt64(1, expected.log_id);
  replace_epoch_.BindInt64(2, static_cast<int64_t>(expected.epoch));
  replace_epoch_.BindInt64(3, expected.next_position);
  replace_epoch_.BindInt64(4, static_cast<int64_t>(epoch));
  RETURN_IF_ERROR(replace_epoch_.Run());
  if (database_.changes() != 1) return absl::AbortedError("the log moved");
  return absl::OkStatus();
}

absl::Status SqliteWriter::PutSnapshot(const StreamName& stream, int64_t revision,
                                       absl::string_view data) {
  const DataCodec::Encoded encoded = codec_.Encode(data);
  const StreamId stream_id = StreamIdOf(stream.space, stream.stream);
  put_snapshot_.BindInt64(1, stream.log_id);
  put_snapshot_.BindBlob(2, ViewOf(stream_id));
  put_snapshot_.BindInt64(3, revision);
  put_snapshot_.BindInt64(4, static_cast<int64_t>(encoded.codec));
  put_snapshot_.BindBlob(5, encoded.bytes);
  RETURN_IF_ERROR(put_snapshot_.Run());
  if (database_.changes() != 1) return MakeError(Reason::kNotFound, "there is no such stream");
  return absl::OkStatus();
}

// Rows lie in order of time, but for those of logs that were written while the clock was ahead,
// whose times it has to reach again. These are passed over until the first of them is old.
absl::StatusOr<int64_t> SqliteWriter::SweepOperations(int64_t before_ms, int64_t rows_max) {
  if (before_ms > young_until_ms_) {
    young_number_ = 0;
    young_until_ms_ = std::numeric_limits<int64_t>::max();
  }
  int64_t earliest_ms = young_until_ms_;
  int64_t after = young_number_;
  int64_t swept = 0;
  for (int look = 0; look < kLooksMax && swept < rows_max; ++look) {
    ASSIGN_OR_RETURN(const OperationRows rows,
                     LookAtOperations(before_ms, after, rows_max - swept));
    earliest_ms = std::min(earliest_ms, rows.earliest_ms);
    if (rows.old == 0) {
      if (rows.count > 0) young_number_ = rows.last;
      young_until_ms_ = earliest_ms;
      break;
    }
    forget_operations_.BindInt64(1, before_ms);
    forget_operations_.BindInt64(2, after);
    forget_operations_.BindInt64(3, rows.last);
    RETURN_IF_ERROR(forget_operations_.Run());
    swept += database_.changes();
    after = rows.last;
  }
  return swept;
}

absl::StatusOr<SqliteWriter::OperationRows> SqliteWriter::LookAtOperations(int64_t before_ms,
                                                                           int64_t after,
                                                                           int64_t rows_max) {
  SqliteStatement& look = look_at_operations_;
  look.BindInt64(1, before_ms);
  look.BindInt64(2, after);
  look.BindInt64(3, rows_max);
  OperationRows rows;
  const absl::StatusOr<bool> found = look.Step();
  if (found.ok() && *found) {
    rows.count = look.Int64(0);
    rows.last = look.Int64(1);
    rows.old = look.Int64(2);
    if (!look.IsNull(3)) rows.earliest_ms = look.Int64(3);
  }
  look.Reset();
  RETURN_IF_ERROR(found.status());
  return rows;
}

}  // namespace bdcsync::event_store
