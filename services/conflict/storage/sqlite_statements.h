// The SQL of records in the SQLite adapter. Constants only.
#pragma once

namespace bdcsync::conflict::sqlite {

inline constexpr char kPut[] =
    "INSERT INTO resolutions (space, op_id, entity_type, entity_id, branch, base_version_id, "
    "theirs_version_id, user_id, device_id, time_ms, decisions, app_version, rule_set_version, "
    "conflict_id, automatic, places) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
    "ON CONFLICT (space, op_id) DO UPDATE SET entity_type = ?3, entity_id = ?4, branch = ?5, "
    "base_version_id = ?6, theirs_version_id = ?7, user_id = ?8, device_id = ?9, time_ms = ?10, "
    "decisions = ?11, app_version = ?12, rule_set_version = ?13, conflict_id = ?14, "
    "automatic = ?15, places = ?16";

// What is recorded of a closing so far.
inline constexpr char kClosing[] =
    "SELECT conflict_id, decisions FROM resolutions WHERE space = ?1 AND op_id = ?2";
inline constexpr char kDropRecord[] = "DELETE FROM resolutions WHERE space = ?1 AND op_id = ?2";

#define BDC_RESOLUTIONS                                                      \
  "SELECT number, op_id, entity_type, entity_id, branch, base_version_id, "  \
  "theirs_version_id, user_id, device_id, time_ms, decisions, app_version, " \
  "rule_set_version, conflict_id, undone_by_version_id, space FROM resolutions "
#define BDC_OLDER "(time_ms, number) < (?2, ?3) "
#define BDC_RESOLUTIONS_OF_SPACE BDC_RESOLUTIONS "WHERE space = ?1 AND " BDC_OLDER
#define BDC_NEWEST_FIRST "ORDER BY time_ms DESC, number DESC LIMIT ?4"

inline constexpr char kListSpace[] = BDC_RESOLUTIONS_OF_SPACE BDC_NEWEST_FIRST;
inline constexpr char kListType[] =
    BDC_RESOLUTIONS_OF_SPACE "AND entity_type = ?5 " BDC_NEWEST_FIRST;
inline constexpr char kListEntity[] =
    BDC_RESOLUTIONS_OF_SPACE "AND entity_type = ?5 AND entity_id = ?6 " BDC_NEWEST_FIRST;
inline constexpr char kListAll[] = BDC_RESOLUTIONS "WHERE " BDC_OLDER BDC_NEWEST_FIRST;
inline constexpr char kGet[] = BDC_RESOLUTIONS "WHERE space = ?1 AND op_id = ?2";

#undef BDC_RESOLUTIONS
#undef BDC_OLDER
#undef BDC_RESOLUTIONS_OF_SPACE
#undef BDC_NEWEST_FIRST

inline constexpr char kMarkUndone[] =
    "UPDATE resolutions SET undone_by_version_id = ?3, undone_by = ?4 "
    "WHERE space = ?1 AND op_id = ?2 AND undone_by_version_id = ''";
inline constexpr char kUndoneBy[] =
    "SELECT undone_by_version_id FROM resolutions WHERE space = ?1 AND op_id = ?2";

}  // namespace bdcsync::conflict::sqlite
