// The SQL of the SQLite adapter. Constants only.
#pragma once

namespace bdcsync::device_sync::sqlite {

#define BDC_DEVICE_COLUMNS                                                                \
  "user_id, device_id, client_name, client_version, platform, network, battery_percent, " \
  "charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off, revoked_ms, "   \
  "registrations"

inline constexpr char kKnown[] = "SELECT 1 FROM devices WHERE user_id = ?1 AND device_id = ?2";

inline constexpr char kCount[] = "SELECT count(*) FROM devices WHERE user_id = ?1";

// ?11: whether state was given; ?12: how many registrations these are.
inline constexpr char kPut[] =
    "INSERT INTO devices (user_id, device_id, client_name, client_version, platform, network, "
    "battery_percent, charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off, "
    "registrations) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 0, ?12) "
    "ON CONFLICT (user_id, device_id) DO UPDATE SET "
    "client_name = ?3, client_version = ?4, platform = ?5, "
    "network = CASE WHEN ?11 THEN ?6 ELSE network END, "
    "battery_percent = CASE WHEN ?11 THEN ?7 ELSE battery_percent END, "
    "charging = CASE WHEN ?11 THEN ?8 ELSE charging END, "
    "budget_bytes_per_s = CASE WHEN ?11 THEN ?9 ELSE budget_bytes_per_s END, "
    "last_seen_ms = max(last_seen_ms, ?10), signed_off = 0, registrations = registrations + ?12 "
    "WHERE revoked_ms = 0";

inline constexpr char kGet[] =
    "SELECT " BDC_DEVICE_COLUMNS " FROM devices WHERE user_id = ?1 AND device_id = ?2";

inline constexpr char kFirstPage[] = "SELECT " BDC_DEVICE_COLUMNS
                                     " FROM devices WHERE user_id = ?1 "
                                     "ORDER BY last_seen_ms DESC, device_id LIMIT ?2";

inline constexpr char kNextPage[] =
    "SELECT " BDC_DEVICE_COLUMNS
    " FROM devices WHERE user_id = ?1 AND last_seen_ms <= ?3 "
    "AND (last_seen_ms < ?3 OR device_id > ?4) ORDER BY last_seen_ms DESC, device_id LIMIT ?2";

inline constexpr char kRemove[] = "DELETE FROM devices WHERE user_id = ?1 AND device_id = ?2";

inline constexpr char kRemoveCursors[] =
    "DELETE FROM cursors WHERE user_id = ?1 AND device_id = ?2";

inline constexpr char kRevoke[] =
    "UPDATE devices SET signed_off = 1, revoked_ms = CASE WHEN revoked_ms = 0 THEN ?3 "
    "ELSE revoked_ms END WHERE user_id = ?1 AND device_id = ?2";

// ?5: how many receipts a device may have.
inline constexpr char kPutPurge[] =
    "INSERT INTO purges (user_id, device_id, space, purged_ms) SELECT ?1, ?2, ?3, ?4 "
    "FROM devices WHERE user_id = ?1 AND device_id = ?2 AND (EXISTS (SELECT 1 FROM purges p "
    "WHERE p.user_id = ?1 AND p.device_id = ?2 AND p.space = ?3) OR (SELECT count(*) "
    "FROM purges p WHERE p.user_id = ?1 AND p.device_id = ?2) < ?5) "
    "ON CONFLICT (user_id, device_id, space) DO UPDATE SET purged_ms = ?4";

inline constexpr char kForgetCursors[] =
    "DELETE FROM cursors WHERE user_id = ?1 AND device_id = ?2 AND (?3 = '' OR space = ?3)";

inline constexpr char kPurges[] =
    "SELECT space, purged_ms FROM purges WHERE user_id = ?1 AND device_id = ?2 ORDER BY space";

inline constexpr char kRemovePurges[] = "DELETE FROM purges WHERE user_id = ?1 AND device_id = ?2";

// ?5: whether state was given.
inline constexpr char kNote[] =
    "UPDATE devices SET last_seen_ms = max(last_seen_ms, ?3), signed_off = ?4, "
    "network = CASE WHEN ?5 THEN ?6 ELSE network END, "
    "battery_percent = CASE WHEN ?5 THEN ?7 ELSE battery_percent END, "
    "charging = CASE WHEN ?5 THEN ?8 ELSE charging END, "
    "budget_bytes_per_s = CASE WHEN ?5 THEN ?9 ELSE budget_bytes_per_s END "
    "WHERE user_id = ?1 AND device_id = ?2 RETURNING revoked_ms";

inline constexpr char kPutCursor[] =
    "INSERT INTO cursors (user_id, device_id, space, epoch, seq) SELECT ?1, ?2, ?3, ?4, ?5 "
    "FROM devices WHERE user_id = ?1 AND device_id = ?2 "
    "ON CONFLICT (user_id, device_id, space) DO UPDATE SET epoch = ?4, seq = ?5 "
    "WHERE epoch <> ?4 OR seq < ?5";

inline constexpr char kCursors[] =
    "SELECT space, epoch, seq FROM cursors WHERE user_id = ?1 AND device_id = ?2 ORDER BY space";

inline constexpr char kSpaces[] =
    "SELECT space FROM cursors WHERE user_id = ?1 AND device_id = ?2 ORDER BY space LIMIT ?3";

#undef BDC_DEVICE_COLUMNS

}  // namespace bdcsync::device_sync::sqlite
