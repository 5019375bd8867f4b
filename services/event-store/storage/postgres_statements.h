// The SQL of the PostgreSQL storage. Names are looked up with LATERAL and LIMIT, so that every plan
// is index lookups whatever the statistics say. Reads take one snapshot each: head and events
// agree. Constants only.
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

inline constexpr PostgresStatement kReplaceEpoch{
    "replace_epoch",
    "UPDATE log_heads SET epoch = $4::int8 "
    "WHERE log_id = $1::int4 AND epoch = $2::int8 AND next_position = $3::int8 RETURNING log_id"};

// One row for each name, in the order asked for.
inline constexpr PostgresStatement kFindSpaces{
    "find_spaces",
    "SELECT sp.space_id, sp.seq, h.epoch "
    "FROM unnest($1::int4[], $2::text[]) WITH ORDINALITY w(log_id, name, n) "
    "LEFT JOIN LATERAL (SELECT epoch FROM log_heads WHERE log_id = w.log_id LIMIT 1) h ON true "
    "LEFT JOIN LATERAL (SELECT space_id, seq FROM spaces "
    "WHERE log_id = w.log_id AND name = w.name LIMIT 1) sp ON true ORDER BY w.n"};

// The space first, then the stream in it: LIMIT keeps the planner from joining them the other way
// round, which scans every stream of the log.
#define BDC_FIND_SPACE(log_id, space) \
  "(SELECT space_id FROM spaces WHERE log_id = " log_id " AND name = " space " LIMIT 1) p"
#define BDC_FIND_STREAM(log_id, space, name) \
  "(SELECT s.* FROM " BDC_FIND_SPACE(log_id, space) ", LATERAL (SELECT "         \
  "stream_id, space_id, first_seq, kind FROM streams WHERE log_id = " log_id     \
  " AND space_id = p.space_id AND name = " name " LIMIT 1) s)"

inline constexpr PostgresStatement kFindStreams{
    "find_streams",
    "SELECT h.stream_id, h.head_revision, h.last_position, h.head_event_id, "
    "st.first_seq, st.kind "
    "FROM unnest($1::int4[], $2::text[], $3::text[]) WITH ORDINALITY w(log_id, space, name, n) "
    "LEFT JOIN LATERAL " BDC_FIND_STREAM("w.log_id", "w.space", "w.name") " st ON true "
    "LEFT JOIN LATERAL (SELECT * FROM stream_heads "
    "WHERE log_id = w.log_id AND stream_id = st.stream_id LIMIT 1) h ON true ORDER BY w.n"};

inline constexpr PostgresStatement kFindOperations{
    "find_operations",
    "SELECT o.position, o.request_hash "
    "FROM unnest($1::int4[], $2::text[], $3::uuid[]) WITH ORDINALITY w(log_id, space, op_key, n) "
    "LEFT JOIN LATERAL (SELECT k.* FROM " BDC_FIND_SPACE("w.log_id", "w.space")
    ", LATERAL (SELECT position, request_hash FROM operation_keys WHERE log_id = w.log_id "
    "AND space_id = p.space_id AND op_key = w.op_key LIMIT 1) k) o ON true ORDER BY w.n"};

// Column 15 says that the bytes up to here are within $5; data is left out beyond.
inline constexpr PostgresStatement kReadHeads{
    "read_heads",
    "SELECT " BDC_EVENT_COLUMNS("NULL", "$4::bool AND e.within")
    ", e.within FROM (SELECT h.*, sum(h.bytes) OVER (ORDER BY h.n) <= $5::int8 AS within FROM ("
    "SELECT w.n, ev.* "
    "FROM unnest($1::int4[], $2::text[], $3::text[]) WITH ORDINALITY w(log_id, space, name, n) "
    "LEFT JOIN LATERAL " BDC_FIND_STREAM("w.log_id", "w.space", "w.name") " st ON true "
    "LEFT JOIN LATERAL (SELECT last_position FROM stream_heads "
    "WHERE log_id = w.log_id AND stream_id = st.stream_id LIMIT 1) h ON true "
    "LEFT JOIN LATERAL (SELECT * FROM events "
    "WHERE log_id = w.log_id AND position = h.last_position LIMIT 1) ev ON true) h) e "
    "LEFT JOIN LATERAL (SELECT name, kind, first_seq FROM streams "
    "WHERE log_id = e.log_id AND stream_id = e.stream_id LIMIT 1) st ON true ORDER BY e.n"};

inline constexpr PostgresStatement kReadEvents{
    "read_events",
    "SELECT " BDC_EVENT_COLUMNS("sp.name", "e.within")
    ", e.within FROM (SELECT h.*, sum(h.bytes) OVER (ORDER BY h.n) <= $3::int8 AS within FROM ("
    "SELECT w.n, ev.* FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY w(log_id, position, n) "
    "LEFT JOIN LATERAL (SELECT * FROM events "
    "WHERE log_id = w.log_id AND position = w.position LIMIT 1) ev ON true) h) e "
    "LEFT JOIN LATERAL (SELECT name, kind, first_seq FROM streams "
    "WHERE log_id = e.log_id AND stream_id = e.stream_id LIMIT 1) st ON true "
    "LEFT JOIN LATERAL (SELECT name FROM spaces "
    "WHERE log_id = e.log_id AND space_id = e.space_id LIMIT 1) sp ON true ORDER BY e.n"};

// Pages: `page` picks rows in the order of their `n`, up to a limit; then bytes cut it, but the
// first row always stays. Columns 15-17 follow: the head, the epoch, and how many rows there were
// before the cut. A page without events is one row with a NULL position.
#define BDC_CUT_PAGE(page, bytes_max)                                                         \
  "(SELECT r.* FROM (SELECT p.*, sum(p.bytes) OVER w AS upto, row_number() OVER w AS place, " \
  "count(*) OVER () AS total FROM (" page                                                     \
  ") p WINDOW w AS (ORDER BY p.n)) r "                                                        \
  "WHERE r.upto <= " bytes_max " OR r.place = 1)"
#define BDC_STREAM_OF_EVENT                                       \
  "LEFT JOIN LATERAL (SELECT name, kind, first_seq FROM streams " \
  "WHERE log_id = e.log_id AND stream_id = e.stream_id LIMIT 1) st ON true "

// $1 log $2 space $3 stream $4 from $5 limit $6 bytes $7 with data $8 until. A stream's events lie
// between its first and its last position, which leaves out the partitions around.
#define BDC_READ_STREAM(n, compare, direction) \
  "SELECT " BDC_EVENT_COLUMNS("NULL", "$7::bool") ", h.head_revision, 0, e.total "             \
  "FROM " BDC_FIND_STREAM("$1::int4", "$2::text", "$3::text") " f "                            \
  "JOIN LATERAL (SELECT head_revision, last_position FROM stream_heads "                       \
  "WHERE log_id = $1::int4 AND stream_id = f.stream_id LIMIT 1) h ON true "                    \
  "LEFT JOIN LATERAL " BDC_CUT_PAGE(                                                           \
      "SELECT " n " AS n, v.* FROM events v WHERE v.log_id = $1::int4 "                        \
      "AND v.stream_id = f.stream_id AND v.revision " compare " $4::int8 "                     \
      "AND v.position BETWEEN f.stream_id AND h.last_position "                                \
      "AND ($8::int8 = 0 OR v.time_ms <= $8::int8) "                                           \
      "ORDER BY v.revision " direction " LIMIT $5::int8",                                      \
      "$6::int8") " e ON true " BDC_STREAM_OF_EVENT "ORDER BY e.n"
inline constexpr PostgresStatement kReadStreamForward{"read_stream_forward",
                                                      BDC_READ_STREAM("v.revision", ">=", "ASC")};
inline constexpr PostgresStatement kReadStreamBackward{
    "read_stream_backward", BDC_READ_STREAM("-v.revision", "<=", "DESC")};

// $1 log $2 space $3 after $4 limit $5 bytes $6 with data $7 with tombstones $8 kind.
#define BDC_READ_SPACE(page) \
  "SELECT " BDC_EVENT_COLUMNS("NULL", "$6::bool") ", coalesce(sp.seq, 0), l.epoch, e.total "   \
  "FROM (SELECT epoch FROM log_heads WHERE log_id = $1::int4) l "                              \
  "LEFT JOIN LATERAL (SELECT space_id, seq FROM spaces "                                       \
  "WHERE log_id = $1::int4 AND name = $2::text LIMIT 1) sp ON true "                           \
  "LEFT JOIN LATERAL " BDC_CUT_PAGE(page, "$5::int8") " e ON true " BDC_STREAM_OF_EVENT        \
  "ORDER BY e.n"
#define BDC_OF_KIND(table)                                                      \
  "($8::int2 = 0 OR EXISTS (SELECT 1 FROM streams k WHERE k.log_id = $1::int4 " \
  "AND k.stream_id = " table ".stream_id AND k.kind = $8::int2)) "
// A position is never below a seq in its log, which leaves out the partitions before.
inline constexpr PostgresStatement kReadSpaceAll{
    "read_space_all",
    BDC_READ_SPACE(
        "SELECT v.seq AS n, v.* FROM events v WHERE v.log_id = $1::int4 "
        "AND v.space_id = sp.space_id AND v.seq > $3::int8 AND v.position > $3::int8 "
        "AND ($7::bool OR NOT v.tombstone) AND " BDC_OF_KIND("v") "ORDER BY v.seq LIMIT $4::int8")};
inline constexpr PostgresStatement kReadSpaceLatest{
    "read_space_latest",
    BDC_READ_SPACE("SELECT c.last_seq AS n, v.* FROM (SELECT h.last_seq, h.last_position "
                   "FROM stream_heads h WHERE h.log_id = $1::int4 AND h.space_id = sp.space_id "
                   "AND h.last_seq > $3::int8 AND ($7::bool OR NOT h.tombstone) AND " BDC_OF_KIND(
                       "h") "ORDER BY h.last_seq LIMIT $4::int8) c "
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
        "$4::int8") " e ON true " BDC_STREAM_OF_EVENT
    "LEFT JOIN LATERAL (SELECT name FROM spaces "
    "WHERE log_id = e.log_id AND space_id = e.space_id LIMIT 1) sp ON true ORDER BY e.n"};

// A snapshot of a lower revision changes nothing, but still counts as kept.
inline constexpr PostgresStatement kPutSnapshot{
    "put_snapshot",
    "INSERT INTO snapshots AS old (log_id, stream_id, revision, codec, data) "
    "SELECT $1::int4, f.stream_id, $4::int8, $5::int2, $6::bytea "
    "FROM " BDC_FIND_STREAM("$1::int4", "$2::text", "$3::text") " f "
    "ON CONFLICT (log_id, stream_id) DO UPDATE SET "
    "revision = greatest(old.revision, excluded.revision), "
    "codec = CASE WHEN excluded.revision >= old.revision THEN excluded.codec ELSE old.codec END, "
    "data = CASE WHEN excluded.revision >= old.revision THEN excluded.data ELSE old.data END "
    "RETURNING stream_id"};
inline constexpr PostgresStatement kGetSnapshot{
    "get_snapshot",
    "SELECT s.revision, s.codec, s.data "
    "FROM " BDC_FIND_STREAM("$1::int4", "$2::text", "$3::text") " f "
    "JOIN LATERAL (SELECT * FROM snapshots "
    "WHERE log_id = $1::int4 AND stream_id = f.stream_id LIMIT 1) s ON true "
    "WHERE $4::int8 = 0 OR s.revision <= $4::int8"};

inline constexpr PostgresStatement kSweepOperations{
    "sweep_operations",
    "DELETE FROM operation_keys WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM operation_keys WHERE time_ms < $1::int8 LIMIT $2::int8))"};

#undef BDC_EVENT_COLUMNS
#undef BDC_FIND_SPACE
#undef BDC_FIND_STREAM
#undef BDC_CUT_PAGE
#undef BDC_STREAM_OF_EVENT
#undef BDC_READ_STREAM
#undef BDC_READ_SPACE
#undef BDC_OF_KIND

// The commit of a batch: for each log a compare-and-set on its head row, and what the batch writes
// only where that won. Rows are locked in order of log, so replicas never deadlock. Keys and names
// are inserted without ON CONFLICT: a taken one fails the whole statement. Answers the logs that
// won, each with the number of events inserted in all.
inline constexpr PostgresStatement kCommit{
    "commit",
    "WITH wanted AS MATERIALIZED (SELECT * FROM unnest($1::int4[], $2::int8[], $3::int8[], "
    "$4::int8[], $5::int8[], $6::int8[]) "
    "w(log_id, epoch, position, next_position, next_space_id, time_ms)), "
    "locked AS MATERIALIZED (SELECT h.log_id FROM log_heads h JOIN wanted w USING (log_id) "
    "WHERE h.epoch = w.epoch AND h.next_position = w.position ORDER BY h.log_id FOR UPDATE OF h), "
    "cas AS MATERIALIZED (UPDATE log_heads h SET next_position = w.next_position, "
    "next_space_id = w.next_space_id, last_time_ms = w.time_ms "
    "FROM wanted w JOIN locked USING (log_id) WHERE h.log_id = w.log_id RETURNING h.log_id), "
    "sp AS (INSERT INTO spaces(log_id, space_id, seq, name) SELECT n.* "
    "FROM unnest($7::int4[], $8::int8[], $9::int8[], $10::text[]) n(log_id, space_id, seq, name) "
    "JOIN cas USING (log_id) ON CONFLICT (log_id, space_id) DO UPDATE SET seq = excluded.seq), "
    "st AS (INSERT INTO streams(log_id, stream_id, space_id, first_seq, kind, name) SELECT n.* "
    "FROM unnest($11::int4[], $12::int8[], $13::int8[], $14::int8[], $15::int2[], $16::text[]) "
    "n(log_id, stream_id, space_id, first_seq, kind, name) JOIN cas USING (log_id)), "
    "sh AS (INSERT INTO stream_heads(log_id, stream_id, space_id, head_revision, last_seq, "
    "last_position, head_event_id, tombstone) SELECT n.* FROM unnest($17::int4[], $18::int8[], "
    "$19::int8[], $20::int8[], $21::int8[], $22::int8[], $23::int8[], $24::bool[]) "
    "n(log_id, stream_id, space_id, head_revision, last_seq, last_position, head_event_id, "
    "tombstone) JOIN cas USING (log_id) ON CONFLICT (log_id, stream_id) DO UPDATE SET "
    "head_revision = excluded.head_revision, last_seq = excluded.last_seq, "
    "last_position = excluded.last_position, head_event_id = excluded.head_event_id, "
    "tombstone = excluded.tombstone), "
    "ev AS (INSERT INTO events(log_id, position, space_id, seq, stream_id, revision, event_id, "
    "time_ms, tombstone, codec, bytes, meta, data) SELECT n.* FROM unnest($25::int4[], "
    "$26::int8[], $27::int8[], $28::int8[], $29::int8[], $30::int8[], $31::int8[], $32::int8[], "
    "$33::bool[], $34::int2[], $35::int4[], $36::bytea[], $37::bytea[]) "
    "n(log_id, position, space_id, seq, stream_id, revision, event_id, time_ms, tombstone, codec, "
    "bytes, meta, data) JOIN cas USING (log_id) RETURNING log_id), "
    "ok AS (INSERT INTO operation_keys(log_id, space_id, op_key, request_hash, position, time_ms) "
    "SELECT n.* FROM unnest($38::int4[], $39::int8[], $40::uuid[], $41::int8[], $42::int8[], "
    "$43::int8[]) n(log_id, space_id, op_key, request_hash, position, time_ms) "
    "JOIN cas USING (log_id)) "
    "SELECT log_id, (SELECT count(*) FROM ev) FROM cas"};

}  // namespace bdcsync::event_store::postgres
