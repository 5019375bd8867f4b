// The SQL of the SQLite adapter. Constants only.
#pragma once

namespace bdcsync::device_sync::sqlite {

#define BDC_DEVICE_COLUMNS                                                                \
  "user_id, device_id, client_name, client_version, platform, network, battery_percent, " \
  "charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off"

inline constexpr char kOwner[] = "SELECT user_id, removed FROM devices WHERE device_id = ?1";

inline constexpr char kCount[] = "SELECT count(*) FROM devices WHERE user_id = ?1 AND NOT removed";

// ?11: whether state was given; a device that was removed starts anew.
inline constexpr char kPut[] =
    "INSERT INTO devices (device_id, user_id, client_name, client_version, platform, network, "
    "battery_percent, charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off, "
    "removed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 0, 0) "
    "ON CONFLICT (device_id) DO UPDATE SET "
    "client_name = ?3, client_version = ?4, platform = ?5, "
    "network = CASE WHEN ?11 OR removed THEN ?6 ELSE network END, "
    "battery_percent = CASE WHEN ?11 OR removed THEN ?7 ELSE battery_percent END, "
    "charging = CASE WHEN ?11 OR removed THEN ?8 ELSE charging END, "
    "budget_bytes_per_s = CASE WHEN ?11 OR removed THEN ?9 ELSE budget_bytes_per_s END, "
    "registered_ms = CASE WHEN removed THEN ?10 ELSE registered_ms END, "
    "last_seen_ms = max(last_seen_ms, ?10), signed_off = 0, removed = 0";

inline constexpr char kGet[] = "SELECT " BDC_DEVICE_COLUMNS
                               " FROM devices WHERE device_id = ?1 AND user_id = ?2 "
                               "AND NOT removed";

inline constexpr char kFirstPage[] = "SELECT " BDC_DEVICE_COLUMNS
                                     " FROM devices WHERE user_id = ?1 AND NOT removed "
                                     "ORDER BY last_seen_ms DESC, device_id LIMIT ?2";

inline constexpr char kNextPage[] =
    "SELECT " BDC_DEVICE_COLUMNS
    " FROM devices WHERE user_id = ?1 AND NOT removed AND last_seen_ms <= ?3 "
    "AND (last_seen_ms < ?3 OR device_id > ?4) ORDER BY last_seen_ms DESC, device_id LIMIT ?2";

inline constexpr char kRemove[] =
    "UPDATE devices SET removed = 1, client_name = '', client_version = '', platform = '' "
    "WHERE device_id = ?1 AND user_id = ?2";

inline constexpr char kRemoveCursors[] = "DELETE FROM cursors WHERE device_id = ?1";

// ?5: whether state was given.
inline constexpr char kNote[] =
    "UPDATE devices SET last_seen_ms = max(last_seen_ms, ?3), signed_off = ?4, "
    "network = CASE WHEN ?5 THEN ?6 ELSE network END, "
    "battery_percent = CASE WHEN ?5 THEN ?7 ELSE battery_percent END, "
    "charging = CASE WHEN ?5 THEN ?8 ELSE charging END, "
    "budget_bytes_per_s = CASE WHEN ?5 THEN ?9 ELSE budget_bytes_per_s END "
    "WHERE device_id = ?1 AND user_id = ?2 AND NOT removed";

inline constexpr char kPutCursor[] =
    "INSERT INTO cursors (device_id, space, epoch, seq) SELECT ?1, ?3, ?4, ?5 FROM devices "
    "WHERE device_id = ?1 AND user_id = ?2 AND NOT removed "
    "ON CONFLICT (device_id, space) DO UPDATE SET epoch = ?4, seq = ?5 "
    "WHERE epoch <> ?4 OR seq < ?5";

inline constexpr char kCursors[] =
    "SELECT c.space, c.epoch, c.seq FROM devices d CROSS JOIN cursors c "
    "WHERE d.device_id = ?1 AND d.user_id = ?2 AND NOT d.removed AND c.device_id = d.device_id "
    "ORDER BY c.space";

#undef BDC_DEVICE_COLUMNS

}  // namespace bdcsync::device_sync::sqlite
