// The SQL of the SQLite reads. CROSS JOIN fixes the order of lookups: every one is by a whole key
// or the beginning of an index. Parameter ?9 says whether data is wanted. Constants only.
#pragma once

namespace bdcsync::event_store::sqlite {

// The primary key of an event: places of a log follow each other in order of position.
#define BDC_PLACE(log_id, position) "((" log_id " << 40) + " position ")"

#define BDC_EVENT_COLUMNS(space_name)                                                         \
  "e.log_id, e.place - (e.log_id << 40), " space_name                                         \
  ", st.name, st.kind, e.seq, e.revision, e.event_id, e.time_ms, e.tombstone, st.first_seq, " \
  "e.bytes, e.meta, e.codec, CASE WHEN ?9 THEN e.data END "

// A space's seq is that of its latest stream.
inline constexpr char kFindSpace[] =
    "SELECT sp.space_id, coalesce((SELECT max(st.last_seq) FROM streams st "
    "WHERE st.log_id = ?1 AND st.space_id = sp.space_id), 0) "
    "FROM spaces sp WHERE sp.log_id = ?1 AND sp.name = ?2";

inline constexpr char kFindStream[] =
    "SELECT first_position, head_revision, last_position, head_event_id, first_seq, kind "
    "FROM streams WHERE log_id = ?1 AND stream_id = ?2";

inline constexpr char kFindOperation[] =
    "SELECT o.position, o.request_hash FROM spaces sp CROSS JOIN operation_keys o "
    "WHERE sp.log_id = ?1 AND sp.name = ?2 "
    "AND o.log_id = ?1 AND o.space_id = sp.space_id AND o.op_key = ?3";

inline constexpr char kEvent[] =
    "SELECT " BDC_EVENT_COLUMNS("sp.name")
    "FROM events e CROSS JOIN streams st CROSS JOIN spaces sp "
    "WHERE e.place = " BDC_PLACE("?1", "?2")
    " AND st.log_id = ?1 AND st.stream_id = e.stream_id "
    "AND sp.log_id = ?1 AND sp.space_id = e.space_id";

// A stream's first event is found by its place ?2, the others by revision. ?5: until, 0: all.
inline constexpr char kStreamFirst[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM events e CROSS JOIN streams st "
    "WHERE e.place = " BDC_PLACE("?1", "?2")
    " AND st.log_id = ?1 AND st.stream_id = e.stream_id AND (?5 = 0 OR e.time_ms <= ?5)";

#define BDC_READ_STREAM(compare, direction) \
  "SELECT " BDC_EVENT_COLUMNS("NULL")                                                        \
  "FROM streams st CROSS JOIN events e WHERE st.log_id = ?1 AND st.stream_id = ?2 "          \
  "AND e.log_id = ?1 AND e.stream_id = ?2 AND e.revision > 1 AND e.revision " compare " ?3 " \
  "AND (?5 = 0 OR e.time_ms <= ?5) ORDER BY e.revision " direction " LIMIT ?4"
inline constexpr char kStreamForward[] = BDC_READ_STREAM(">=", "ASC");
inline constexpr char kStreamBackward[] = BDC_READ_STREAM("<=", "DESC");

inline constexpr char kSpaceAll[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM events e CROSS JOIN streams st "
    "WHERE e.log_id = ?1 AND e.space_id = ?2 AND e.seq > ?3 AND (?5 OR NOT e.tombstone) "
    "AND st.log_id = ?1 AND st.stream_id = e.stream_id AND (?6 = 0 OR st.kind = ?6) "
    "ORDER BY e.seq LIMIT ?4";

inline constexpr char kSpaceLatest[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM streams st CROSS JOIN events e "
    "WHERE st.log_id = ?1 AND st.space_id = ?2 AND st.last_seq > ?3 "
    "AND (?5 OR NOT st.tombstone) AND (?6 = 0 OR st.kind = ?6) "
    "AND e.place = " BDC_PLACE("?1", "st.last_position") " ORDER BY st.last_seq LIMIT ?4";

inline constexpr char kLogEvents[] =
    "SELECT " BDC_EVENT_COLUMNS("sp.name")
    "FROM events e CROSS JOIN streams st CROSS JOIN spaces sp "
    "WHERE e.place > " BDC_PLACE("?1", "?2") " AND e.place < " BDC_PLACE("(?1 + 1)", "0")
    " AND st.log_id = ?1 AND st.stream_id = e.stream_id "
    "AND sp.log_id = ?1 AND sp.space_id = e.space_id ORDER BY e.place LIMIT ?3";

#undef BDC_READ_STREAM
#undef BDC_PLACE
#undef BDC_EVENT_COLUMNS

inline constexpr char kLog[] =
    "SELECT log_id, epoch, next_position, next_space_id, last_time_ms FROM log_heads "
    "WHERE log_id = ?1";
inline constexpr char kAllLogs[] =
    "SELECT log_id, epoch, next_position, next_space_id, last_time_ms FROM log_heads "
    "ORDER BY log_id";

inline constexpr char kSnapshot[] =
    "SELECT revision, codec, data FROM snapshots "
    "WHERE log_id = ?1 AND stream_id = ?2 AND (?3 = 0 OR revision <= ?3)";

}  // namespace bdcsync::event_store::sqlite
