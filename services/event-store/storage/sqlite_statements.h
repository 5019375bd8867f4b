// The SQL of the SQLite reads. CROSS JOIN fixes the order of lookups: every one is by a whole key
// or the beginning of an index. Parameter ?9 says whether data is wanted. Constants only.
#pragma once

namespace bdcsync::event_store::sqlite {

#define BDC_EVENT_COLUMNS(space_name)                                                         \
  "e.log_id, e.position, " space_name                                                         \
  ", st.name, st.kind, e.seq, e.revision, e.event_id, e.time_ms, e.tombstone, st.first_seq, " \
  "e.bytes, e.meta, e.codec, CASE WHEN ?9 THEN e.data END "

inline constexpr char kFindSpace[] =
    "SELECT space_id, seq FROM spaces WHERE log_id = ?1 AND name = ?2";

inline constexpr char kFindStream[] =
    "SELECT h.stream_id, h.head_revision, h.last_position, h.head_event_id, "
    "st.first_seq, st.kind "
    "FROM spaces sp CROSS JOIN streams st CROSS JOIN stream_heads h "
    "WHERE sp.log_id = ?1 AND sp.name = ?2 "
    "AND st.log_id = ?1 AND st.space_id = sp.space_id AND st.name = ?3 "
    "AND h.log_id = ?1 AND h.stream_id = st.stream_id";

inline constexpr char kFindOperation[] =
    "SELECT o.position, o.request_hash FROM spaces sp CROSS JOIN operation_keys o "
    "WHERE sp.log_id = ?1 AND sp.name = ?2 "
    "AND o.log_id = ?1 AND o.space_id = sp.space_id AND o.op_key = ?3";

inline constexpr char kEvent[] =
    "SELECT " BDC_EVENT_COLUMNS("sp.name")
    "FROM events e CROSS JOIN streams st CROSS JOIN spaces sp "
    "WHERE e.log_id = ?1 AND e.position = ?2 "
    "AND st.log_id = ?1 AND st.stream_id = e.stream_id "
    "AND sp.log_id = ?1 AND sp.space_id = e.space_id";

inline constexpr char kStreamForward[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM streams st CROSS JOIN events e "
    "WHERE st.log_id = ?1 AND st.stream_id = ?2 "
    "AND e.log_id = ?1 AND e.stream_id = ?2 AND e.revision >= ?3 "
    "AND (?5 = 0 OR e.time_ms <= ?5) ORDER BY e.revision LIMIT ?4";

inline constexpr char kStreamBackward[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM streams st CROSS JOIN events e "
    "WHERE st.log_id = ?1 AND st.stream_id = ?2 "
    "AND e.log_id = ?1 AND e.stream_id = ?2 AND e.revision <= ?3 "
    "AND (?5 = 0 OR e.time_ms <= ?5) ORDER BY e.revision DESC LIMIT ?4";

inline constexpr char kSpaceAll[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM events e CROSS JOIN streams st "
    "WHERE e.log_id = ?1 AND e.space_id = ?2 AND e.seq > ?3 AND (?5 OR NOT e.tombstone) "
    "AND st.log_id = ?1 AND st.stream_id = e.stream_id AND (?6 = 0 OR st.kind = ?6) "
    "ORDER BY e.seq LIMIT ?4";

inline constexpr char kSpaceLatest[] =
    "SELECT " BDC_EVENT_COLUMNS("NULL")
    "FROM stream_heads h CROSS JOIN streams st CROSS JOIN events e "
    "WHERE h.log_id = ?1 AND h.space_id = ?2 AND h.last_seq > ?3 AND (?5 OR NOT h.tombstone) "
    "AND st.log_id = ?1 AND st.stream_id = h.stream_id AND (?6 = 0 OR st.kind = ?6) "
    "AND e.log_id = ?1 AND e.position = h.last_position ORDER BY h.last_seq LIMIT ?4";

inline constexpr char kLogEvents[] =
    "SELECT " BDC_EVENT_COLUMNS("sp.name")
    "FROM events e CROSS JOIN streams st CROSS JOIN spaces sp "
    "WHERE e.log_id = ?1 AND e.position > ?2 "
    "AND st.log_id = ?1 AND st.stream_id = e.stream_id "
    "AND sp.log_id = ?1 AND sp.space_id = e.space_id ORDER BY e.position LIMIT ?3";

#undef BDC_EVENT_COLUMNS

inline constexpr char kLog[] =
    "SELECT log_id, epoch, next_position, next_space_id, last_time_ms FROM log_heads "
    "WHERE log_id = ?1";
inline constexpr char kAllLogs[] =
    "SELECT log_id, epoch, next_position, next_space_id, last_time_ms FROM log_heads "
    "ORDER BY log_id";

inline constexpr char kSnapshot[] =
    "SELECT s.revision, s.codec, s.data "
    "FROM spaces sp CROSS JOIN streams st CROSS JOIN snapshots s "
    "WHERE sp.log_id = ?1 AND sp.name = ?2 "
    "AND st.log_id = ?1 AND st.space_id = sp.space_id AND st.name = ?3 "
    "AND s.log_id = ?1 AND s.stream_id = st.stream_id AND (?4 = 0 OR s.revision <= ?4)";

}  // namespace bdcsync::event_store::sqlite
