// The one statement that commits a batch of one or several logs: for each log a compare-and-set on
// its head row, and what the batch writes only where that won. Rows of several logs are locked in
// order of log, so replicas never deadlock. Keys and names are inserted without ON CONFLICT: a
// taken one fails the whole statement. Answers a row for each log that won: its id, and the numbers
// of events inserted and of known streams changed in all. Pure.
#pragma once

#include <cstdint>

#include "libs/sql/postgres.h"

namespace bdcsync::event_store {

// What a batch may have beside the head of one log and events. The statement holds only the parts
// that are there: the server prepares and ends each anew at every execution, even for no row.
enum CommitPart : uint32_t {
  kNewSpaces = 1,
  kNewStreams = 2,
  kKnownStreams = 4,
  kOperations = 8,
  // These bring no parameters of their own.
  kSeveralLogs = 16,
  // At most one row for each table: parameters are values, not arrays. The server opens one array
  // after the other, which is a third of what a commit of one event costs.
  kOneRow = 32,
};
inline constexpr uint32_t kAllCommitParts = 63;

// Parameters are arrays (with kOneRow: values), one for each column below, in this order: the logs;
// the parts of `parts` in order of their values; the events.
//   logs           log_id int4, epoch, position, next_position, next_space_id, time_ms int8
//   new spaces     log_id int4, space_id int8, name text
//   new streams    log_id int4, stream_id uuid, space_id, first_position, first_seq, head_revision,
//                  last_seq, last_position, head_event_id int8, kind int2, tombstone bool, name
//                  text
//   known streams  log_id int4, stream_id uuid, head_revision, last_seq, last_position,
//                  head_event_id int8, tombstone bool
//   operations     log_id int4, space_id int8, op_key uuid, request_hash, position int8
//   events         log_id int4, position, space_id, seq int8, stream_id uuid, revision,
//                  event_id int8, tombstone bool, codec int2, bytes int4, meta, data bytea
// The statement lives as long as the program.
const sql::PostgresStatement& CommitStatement(uint32_t parts);

}  // namespace bdcsync::event_store
