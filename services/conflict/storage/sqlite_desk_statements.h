// The SQL of conflicts in the SQLite adapter. Constants only.
#pragma once

namespace bdcsync::conflict::sqlite {

#define BDC_PUT_CONFLICT                                                                    \
  "INSERT INTO conflicts (conflict_id, space, entity_type, entity_id, state, assigned_to, " \
  "device_id, app_version, opened_ms, deadline_ms, closed_ms, verified_ms, places, data, "  \
  "choices) VALUES (?1, ?2, ?3, ?4, ?5, ?14, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, x'') "     \
  "ON CONFLICT (conflict_id) DO UPDATE SET device_id = excluded.device_id, "                \
  "app_version = excluded.app_version, opened_ms = excluded.opened_ms, "                    \
  "deadline_ms = excluded.deadline_ms, closed_ms = excluded.closed_ms, "                    \
  "verified_ms = excluded.verified_ms, places = excluded.places, data = excluded.data"

// An operation that is decided again before the log is known to hold its conflict.
inline constexpr char kOpenConflict[] = BDC_PUT_CONFLICT " WHERE conflicts.state = 1";
// What the log holds. It closes a conflict once.
inline constexpr char kHoldConflict[] = BDC_PUT_CONFLICT
    ", state = CASE WHEN excluded.state > 3 THEN excluded.state "
    "WHEN conflicts.assigned_to = '' THEN 2 ELSE 3 END, "
    "choices = CASE WHEN excluded.state > 3 THEN x'' ELSE conflicts.choices END "
    "WHERE conflicts.state < 4";
#undef BDC_PUT_CONFLICT

inline constexpr char kForgetConflict[] =
    "DELETE FROM conflicts WHERE conflict_id = ?1 AND state = 1";
inline constexpr char kGetConflict[] =
    "SELECT state, assigned_to, data, choices FROM conflicts WHERE conflict_id = ?1";

#define BDC_CONFLICTS_OF_STATE                                                   \
  "SELECT conflict_id, opened_ms, length(data) FROM conflicts WHERE space = ?1 " \
  "AND state = ?2 AND (opened_ms, conflict_id) < (?3, ?4) "
#define BDC_NEWEST_FIRST "ORDER BY opened_ms DESC, conflict_id DESC LIMIT ?5"
inline constexpr char kListConflicts[] = BDC_CONFLICTS_OF_STATE BDC_NEWEST_FIRST;
inline constexpr char kListConflictsOfType[] =
    BDC_CONFLICTS_OF_STATE "AND entity_type = ?6 " BDC_NEWEST_FIRST;
inline constexpr char kListConflictsOfEntity[] = BDC_CONFLICTS_OF_STATE
    "AND entity_type = ?6 AND entity_id = ?7 AND (?8 = '' OR assigned_to = ?8) " BDC_NEWEST_FIRST;
inline constexpr char kListConflictsOfAssignee[] = BDC_CONFLICTS_OF_STATE
    "AND assigned_to = ?8 AND assigned_to <> '' AND (?6 = '' OR entity_type = "
    "?6) " BDC_NEWEST_FIRST;
#undef BDC_CONFLICTS_OF_STATE
#undef BDC_NEWEST_FIRST

inline constexpr char kListDeadlines[] =
    "SELECT conflict_id, deadline_ms, length(data) FROM conflicts "
    "WHERE state IN (2, 3) AND deadline_ms <= ?1 ORDER BY deadline_ms LIMIT ?2";
inline constexpr char kListUncertain[] =
    "SELECT conflict_id, verified_ms, length(data) FROM conflicts "
    "WHERE state = ?3 AND state IN (1, 2, 3) AND verified_ms <= ?1 ORDER BY verified_ms LIMIT ?2";
inline constexpr char kNextDeadline[] =
    "SELECT deadline_ms FROM conflicts WHERE state IN (2, 3) AND deadline_ms > ?1 "
    "ORDER BY deadline_ms LIMIT 1";

inline constexpr char kAssign[] =
    "UPDATE conflicts SET assigned_to = ?2, "
    "state = CASE WHEN state = 1 THEN 1 WHEN ?2 = '' THEN 2 ELSE 3 END "
    "WHERE conflict_id = ?1 AND state < 4";
inline constexpr char kKeepChoices[] =
    "UPDATE conflicts SET choices = ?2 WHERE conflict_id = ?1 AND choices = ?3 AND state < 4";
inline constexpr char kCountOpen[] =
    "SELECT count(*), coalesce(min(opened_ms), 0) FROM conflicts "
    "WHERE state = ?1 AND state IN (1, 2, 3)";

inline constexpr char kDeleteRecords[] =
    "DELETE FROM resolutions WHERE number IN (SELECT number FROM resolutions "
    "WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
inline constexpr char kDeleteConflicts[] =
    "DELETE FROM conflicts WHERE conflict_id IN (SELECT conflict_id FROM conflicts "
    "WHERE opened_ms < ?1 AND closed_ms > 0 AND closed_ms < ?1 ORDER BY opened_ms LIMIT ?2)";

}  // namespace bdcsync::conflict::sqlite
