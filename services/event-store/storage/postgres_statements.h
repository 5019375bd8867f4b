// The SQL of the PostgreSQL storage's reads; commits are in postgres_commit. Rows are looked up
// with LATERAL and LIMIT, so that every plan is index lookups whatever the statistics say. Reads
// take one snapshot each: head and events agree. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::event_store::postgres {

using sql::PostgresStatement;

// Columns 0-14 of an event `e` of stream `st`; the caller's parameter says whether data is wanted.
#define BDC_EVENT_COLUMNS(space_name, with_data)                                              \
  "e.log_id, e.position, " space_name                                                         \
  ", st.name, st.kind, e.seq, e.revision, e.event_id, e.time_ms, e.tombstone, st.first_seq, " \
  "e.bytes, e.meta, e.codec, CASE WHEN " with_data " THEN e.data END "

inline constexpr PostgresStatement kLoadLogs{
    "load_logs",
    "SELECT log_id, epoch, next_position, next_space_id, last_time_ms FROM log_heads "
    "WHERE $1::bool OR log_id = ANY($2::int4[]) ORDER BY log_id"};

// Reads nothing, and fails where writing is not allowed.
inline constexpr PostgresStatement kCheckWritable{
    "check_writable", "SELECT log_count FROM store WHERE false FOR UPDATE"};

inline constexpr PostgresStatement kReplaceEpoch{
    "replace_epoch",
    "UPDATE log_heads SET epoch = $4::int8 "
    "WHERE log_id = $1::int4 AND epoch = $2::int8 AND next_position = $3::int8 RETURNING log_id"};

// One row for each name, in the order asked for. A space's seq is that of its latest stream. Latest
// seqs are indexed by ranges of 1,024; the rows of a range are sorted.
#define BDC_LAST_SEQ(log_id, space_id)                                               \
  "(SELECT last_seq FROM streams WHERE log_id = " log_id " AND space_id = " space_id \
  " ORDER BY seq_range DESC, last_seq DESC LIMIT 1)"
inline constexpr PostgresStatement kFindSpaces{
    "find_spaces",
    "SELECT sp.space_id, " BDC_LAST_SEQ("w.log_id", "sp.space_id") ", h.epoch "
    "FROM unnest($1::int4[], $2::text[]) WITH ORDINALITY w(log_id, name, n) "
    "LEFT JOIN LATERAL (SELECT epoch FROM log_heads WHERE log_id = w.log_id LIMIT 1) h ON true "
    "LEFT JOIN LATERAL (SELECT space_id FROM spaces "
    "WHERE log_id = w.log_id AND name = w.name LIMIT 1) sp ON true ORDER BY w.n"};

// Streams are asked for by log and StreamId.
#define BDC_STREAM(log_id, stream_id) \
  "(SELECT * FROM streams WHERE log_id = " log_id " AND stream_id = " stream_id " LIMIT 1)"

inline constexpr PostgresStatement kFindStreams{
    "find_streams",
    "SELECT st.first_position, st.head_revision, st.last_position, st.head_event_id, "
    "st.first_seq, st.kind "
    "FROM unnest($1::int4[], $2::uuid[]) WITH ORDINALITY w(log_id, stream_id, n) "
    "LEFT JOIN LATERAL " BDC_STREAM("w.log_id", "w.stream_id") " st ON true ORDER BY w.n"};

inline constexpr PostgresStatement kFindOperations{
    "find_operations",
    "SELECT o.position, o.request_hash "
    "FROM unnest($1::int4[], $2::text[], $3::uuid[]) WITH ORDINALITY w(log_id, space, op_key, n) "
    "LEFT JOIN LATERAL (SELECT k.* FROM (SELECT space_id FROM spaces "
    "WHERE log_id = w.log_id AND name = w.space LIMIT 1) p, "
    "LATERAL (SELECT position, request_hash FROM operation_keys WHERE log_id = w.log_id "
    "AND space_id = p.space_id AND op_key = w.op_key LIMIT 1) k) o ON true ORDER BY w.n"};

// What an event `row` takes of a limit of bytes: data that is left out takes nothing.
#define BDC_BYTES(row, with_data) \
  "CASE WHEN " with_data " THEN " row ".bytes ELSE octet_length(" row ".meta) END"

// Column 15 says that the bytes up to here are within the last parameter; data is left out beyond.
inline constexpr PostgresStatement kReadHeads{
    "read_heads",
    "SELECT " BDC_EVENT_COLUMNS("NULL", "$3::bool AND e.within")
    ", e.within FROM (SELECT h.*, sum(" BDC_BYTES("h", "$3::bool")
    ") OVER (ORDER BY h.n) <= $4::int8 AS within FROM (SELECT w.n, ev.* "
    "FROM unnest($1::int4[], $2::uuid[]) WITH ORDINALITY w(log_id, stream_id, n) "
    "LEFT JOIN LATERAL " BDC_STREAM("w.log_id", "w.stream_id") " st ON true "
    "LEFT JOIN LATERAL (SELECT * FROM events "
    "WHERE log_id = w.log_id AND position = st.last_position LIMIT 1) ev ON true) h) e "
    "LEFT JOIN LATERAL " BDC_STREAM("e.log_id", "e.stream_id") " st ON true ORDER BY e.n"};

inline constexpr PostgresStatement kReadEvents{
    "read_events",
    "SELECT " BDC_EVENT_COLUMNS("sp.name", "e.within")
    ", e.within FROM (SELECT h.*, sum(h.bytes) OVER (ORDER BY h.n) <= $3::int8 AS within FROM ("
    "SELECT w.n, ev.* FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY w(log_id, position, n) "
    "LEFT JOIN LATERAL (SELECT * FROM events "
    "WHERE log_id = w.log_id AND position = w.position LIMIT 1) ev ON true) h) e "
    "LEFT JOIN LATERAL " BDC_STREAM("e.log_id", "e.stream_id") " st ON true "
    "LEFT JOIN LATERAL (SELECT name FROM spaces "
    "WHERE log_id = e.log_id AND space_id = e.space_id LIMIT 1) sp ON true ORDER BY e.n"};

// Pages: `page` picks rows in the order of their `n`, up to a limit; then bytes cut it, but the
// first row always stays. Columns 15-17 follow: the head, the epoch, and how many rows there were
// before the cut. A page without events is one row with a NULL position.
#define BDC_CUT_PAGE(page, bytes_max, with_data) \
  "(SELECT r.* FROM (SELECT p.*, sum(" BDC_BYTES("p", with_data) ") OVER w AS upto, " \
  "row_number() OVER w AS place, count(*) OVER () AS total FROM (" page               \
  ") p WINDOW w AS (ORDER BY p.n)) r "                                               \
  "WHERE r.upto <= " bytes_max " OR r.place = 1)"
#define BDC_STREAM_OF_EVENT \
  "LEFT JOIN LATERAL " BDC_STREAM("e.log_id", "e.stream_id") " st ON true "

// $1 log $2 stream $3 from $4 limit $5 bytes $6 with data $7 until. The first event is found by its
// place, the others by revision; they lie between the first and the last position, which leaves out
// the partitions around.
#define BDC_STREAM_EVENTS(n, compare)                                                      \
  "SELECT " n " AS n, v.* FROM events v WHERE v.log_id = $1::int4 AND v.revision " compare \
  " $3::int8 AND ($7::int8 = 0 OR v.time_ms <= $7::int8) "
#define BDC_READ_STREAM(n, compare, direction) \
  "SELECT " BDC_EVENT_COLUMNS("NULL", "$6::bool") ", f.head_revision, 0, e.total "              \
  "FROM " BDC_STREAM("$1::int4", "$2::uuid") " f "                                              \
  "LEFT JOIN LATERAL " BDC_CUT_PAGE(                                                            \
      "SELECT * FROM ((" BDC_STREAM_EVENTS(n, compare) "AND v.position = f.first_position) "    \
      "UNION ALL (" BDC_STREAM_EVENTS(n, compare) "AND v.stream_id = f.stream_id "              \
      "AND v.revision > 1 AND v.position BETWEEN f.first_position AND f.last_position "         \
      "ORDER BY v.revision " direction " LIMIT $4::int8)) u ORDER BY u.n LIMIT $4::int8",       \
      "$5::int8", "$6::bool") " e ON true " BDC_STREAM_OF_EVENT "ORDER BY e.n"
inline constexpr PostgresStatement kReadStreamForward{"read_stream_forward",
                                                      BDC_READ_STREAM("v.revision", ">=", "ASC")};
inline constexpr PostgresStatement kReadStreamBackward{
    "read_stream_backward", BDC_READ_STREAM("-v.revision", "<=", "DESC")};

// $1 log $2 space $3 after $4 limit $5 bytes $6 with data $7 with tombstones $8 kind.
#define BDC_READ_SPACE(page) \
  "SELECT " BDC_EVENT_COLUMNS("NULL", "$6::bool") ", coalesce(sp.seq, 0), l.epoch, e.total "   \
  "FROM (SELECT epoch FROM log_heads WHERE log_id = $1::int4) l "                              \
  "LEFT JOIN LATERAL (SELECT p.space_id, " BDC_LAST_SEQ("$1::int4", "p.space_id") " AS seq "   \
  "FROM spaces p WHERE p.log_id = $1::int4 AND p.name = $2::text LIMIT 1) sp ON true "         \
  "LEFT JOIN LATERAL " BDC_CUT_PAGE(page, "$5::int8", "$6::bool") " e ON true "               \
  BDC_STREAM_OF_EVENT "ORDER BY e.n"
#define BDC_OF_KIND                                                             \
  "($8::int2 = 0 OR EXISTS (SELECT 1 FROM streams k WHERE k.log_id = $1::int4 " \
  "AND k.stream_id = v.stream_id AND k.kind = $8::int2)) "
// A position is never below a seq in its log, which leaves out the partitions before.
inline constexpr PostgresStatement kReadSpaceAll{
    "read_space_all",
    BDC_READ_SPACE("SELECT v.seq AS n, v.* FROM events v WHERE v.log_id = $1::int4 "
                   "AND v.space_id = sp.space_id AND v.seq > $3::int8 AND v.position > $3::int8 "
                   "AND ($7::bool OR NOT v.tombstone) AND " BDC_OF_KIND
                   "ORDER BY v.seq LIMIT $4::int8")};
inline constexpr PostgresStatement kReadSpaceLatest{
    "read_space_latest",
    BDC_READ_SPACE("SELECT c.last_seq AS n, v.* FROM (SELECT h.last_seq, h.last_position "
                   "FROM streams h WHERE h.log_id = $1::int4 AND h.space_id = sp.space_id "
                   "AND h.seq_range >= $3::int8 >> 10 AND h.last_seq > $3::int8 AND ($7::bool OR "
                   "NOT h.tombstone) "
                   "AND ($8::int2 = 0 OR h.kind = $8::int2) "
                   "ORDER BY h.seq_range, h.last_seq LIMIT $4::int8) c "
                   "JOIN LATERAL (SELECT * FROM events WHERE log_id = $1::int4 "
                   "AND position = c.last_position LIMIT 1) v ON true")};

// $1 log $2 after $3 limit $4 bytes $5 with data.
inline constexpr PostgresStatement kReadLog{
    "read_log",
    "SELECT " BDC_EVENT_COLUMNS("sp.name", "$5::bool") ", l.next_position - 1, l.epoch, e.total "
    "FROM (SELECT epoch, next_position FROM log_heads WHERE log_id = $1::int4) l "
    "LEFT JOIN LATERAL " BDC_CUT_PAGE(
        "SELECT v.position AS n, v.* FROM events v "
        "WHERE v.log_id = $1::int4 AND v.position > $2::int8 ORDER BY v.position LIMIT $3::int8",
        "$4::int8", "$5::bool") " e ON true " BDC_STREAM_OF_EVENT
    "LEFT JOIN LATERAL (SELECT name FROM spaces "
    "WHERE log_id = e.log_id AND space_id = e.space_id LIMIT 1) sp ON true ORDER BY e.n"};

// A snapshot of a lower revision changes nothing, but still counts as kept.
inline constexpr PostgresStatement kPutSnapshot{
    "put_snapshot",
    "INSERT INTO snapshots AS old (log_id, stream_id, revision, codec, data) "
    "SELECT $1::int4, f.stream_id, $3::int8, $4::int2, $5::bytea "
    "FROM " BDC_STREAM("$1::int4", "$2::uuid") " f "
    "ON CONFLICT (log_id, stream_id) DO UPDATE SET "
    "revision = greatest(old.revision, excluded.revision), "
    "codec = CASE WHEN excluded.revision >= old.revision THEN excluded.codec ELSE old.codec END, "
    "data = CASE WHEN excluded.revision >= old.revision THEN excluded.data ELSE old.data END "
    "RETURNING stream_id"};
inline constexpr PostgresStatement kGetSnapshot{
    "get_snapshot",
    "SELECT revision, codec, data FROM snapshots WHERE log_id = $1::int4 AND stream_id = $2::uuid "
    "AND ($3::int8 = 0 OR revision <= $3::int8)"};

inline constexpr PostgresStatement kOperationBlocks{
    "operation_blocks",
    "SELECT pg_relation_size('operation_keys') / current_setting('block_size')::int8"};
// $1 before $2 limit, of the blocks from $3 up to $4.
inline constexpr PostgresStatement kSweepOperations{
    "sweep_operations",
    "DELETE FROM operation_keys WHERE ctid = ANY(ARRAY(SELECT ctid FROM operation_keys "
    "WHERE ctid >= ('(' || $3::int8 || ',0)')::tid AND ctid < ('(' || $4::int8 || ',0)')::tid "
    "AND time_ms < $1::int8 LIMIT $2::int8))"};

#undef BDC_EVENT_COLUMNS
#undef BDC_LAST_SEQ
#undef BDC_STREAM
#undef BDC_BYTES
#undef BDC_CUT_PAGE
#undef BDC_STREAM_OF_EVENT
#undef BDC_STREAM_EVENTS
#undef BDC_READ_STREAM
#undef BDC_READ_SPACE
#undef BDC_OF_KIND

}  // namespace bdcsync::event_store::postgres
