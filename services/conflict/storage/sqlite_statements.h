// The SQL of the SQLite adapter. Constants only.
#pragma once

namespace bdcsync::conflict::sqlite {

inline constexpr char kPut[] =
    "INSERT INTO resolutions (space, op_id, entity_type, entity_id, branch, base_version_id, "
    "theirs_version_id, user_id, device_id, time_ms, decisions) "
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
    "ON CONFLICT (space, op_id) DO UPDATE SET entity_type = ?3, entity_id = ?4, branch = ?5, "
    "base_version_id = ?6, theirs_version_id = ?7, user_id = ?8, device_id = ?9, time_ms = ?10, "
    "decisions = ?11";

#define BDC_RESOLUTIONS_OF_SPACE                                                \
  "SELECT number, op_id, entity_type, entity_id, branch, base_version_id, "     \
  "theirs_version_id, user_id, device_id, time_ms, decisions FROM resolutions " \
  "WHERE space = ?1 AND number < ?2 "
#define BDC_NEWEST_FIRST "ORDER BY number DESC LIMIT ?3"

inline constexpr char kListSpace[] = BDC_RESOLUTIONS_OF_SPACE BDC_NEWEST_FIRST;
inline constexpr char kListType[] =
    BDC_RESOLUTIONS_OF_SPACE "AND entity_type = ?4 " BDC_NEWEST_FIRST;
inline constexpr char kListEntity[] =
    BDC_RESOLUTIONS_OF_SPACE "AND entity_type = ?4 AND entity_id = ?5 " BDC_NEWEST_FIRST;

#undef BDC_RESOLUTIONS_OF_SPACE
#undef BDC_NEWEST_FIRST

}  // namespace bdcsync::conflict::sqlite
