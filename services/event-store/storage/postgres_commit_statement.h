// The one statement that commits a batch of one or several logs: for each log a compare-and-set on
// its head row, and what the batch writes only where that won. Rows of several logs are locked in
// order of log, so replicas never deadlock. Keys and names are inserted without ON CONFLICT: a
// taken one fails the whole statement. Answers a row for each log that won: its id, and the numbers
// of events inserted and of known streams changed in all. Thread-safe.
#pragma once

#include <cstdint>

#include "libs/sql/postgres.h"

namespace bdcsync::event_store {

// What a batch may have beside the head of one log and events. The statement holds only the parts
// that are there: the server prepares and ends each anew at every execution, even for no row.
enum CommitPart : uint32_t {
  kNewSpaces = 1,
  kNewStreams = 2,
  // New streams of which the batch has several events.
  kGrownStreams = 4,
  kKnownStreams = 8,
  kOperations = 16,
  // These bring no parameters of their own.
  kSeveralLogs = 32,
  // At most one row for each table: parameters are values, not arrays, and each table takes them
  // as they are. The server opens one array after the other, and makes ready and ends each node of
  // a plan, which is most of what a commit of one event costs.
  kOneRow = 64,
  // A name for a commit that is sent behind this one, and the name of the commit that this one is
  // sent behind: nothing of it is written unless that one won all its logs. A session remembers the
  // latest name, and forgets it with a transaction that fails. Never with kOneRow.
  kNamed = 128,
};
inline constexpr uint32_t kAllCommitParts = 255;

// What an event is beside itself: everything that a batch writes about a stream or an operation is
// in the row of one event, since a value costs the server as much as a tenth of a row.
enum EventFlag : int16_t {
  kTombstone = 1,
  kCompressed = 2,   // The codec is zstd.
  kMakesStream = 4,  // Its stream is new; the event is the stream's latest of the batch.
  kMovesStream = 8,  // Its stream is known; likewise.
  kRemembersOperation = 16,
};

// Parameters are arrays (with kOneRow: values), one for each column below, in this order:
//   kNamed         no arrays: behind text, the name of the other or '' for none; name text
//   logs           log_id int4, epoch, position, next_position, next_space_id, time_ms int8
//   events         log_id int4, position, space_id, seq int8, stream_id uuid, revision,
//                  event_id int8, flags int2, bytes int4, meta, data bytea
//   kNewStreams    of each event: kind int2, name text; they count where the event makes its stream
//   kGrownStreams  of each event: first_position, first_seq int8; likewise
//   kOperations    of each event: op_key uuid, request_hash int8; they count where it has one
//   kNewSpaces     log_id int4, space_id int8, name text
// The statement lives as long as the program.
const sql::PostgresStatement& CommitStatement(uint32_t parts);

}  // namespace bdcsync::event_store
