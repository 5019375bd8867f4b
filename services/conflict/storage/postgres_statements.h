// The SQL of records in the PostgreSQL adapter. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::conflict::postgres {

inline constexpr sql::PostgresStatement kPing{"resolution_ping", "SELECT 1"};

#define BDC_INSERT                                                                                \
  "INSERT INTO resolutions AS r (space, op_id, entity_type, entity_id, branch, base_version_id, " \
  "theirs_version_id, user_id, device_id, app_version, conflict_id, places, time_ms, "            \
  "rule_set_version, automatic, decisions) "                                                      \
  "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], " \
  "$7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int8[], "      \
  "$14::int8[], $15::int8[], $16::bytea[]) "

// For operations that have no record yet; one that has fails it as a whole. The server looks for no
// conflict before each row and writes nothing to confirm it after, a tenth of what a record costs.
inline constexpr sql::PostgresStatement kPutNew{"resolution_put_new", BDC_INSERT};
// For any. The keys of a batch must differ.
inline constexpr sql::PostgresStatement kPut{
    "resolution_put", BDC_INSERT
    "ON CONFLICT (space, op_id) DO UPDATE SET entity_type = excluded.entity_type, "
    "entity_id = excluded.entity_id, branch = excluded.branch, "
    "base_version_id = excluded.base_version_id, "
    "theirs_version_id = excluded.theirs_version_id, user_id = excluded.user_id, "
    "device_id = excluded.device_id, app_version = excluded.app_version, "
    "conflict_id = excluded.conflict_id, places = excluded.places, time_ms = excluded.time_ms, "
    "rule_set_version = excluded.rule_set_version, automatic = excluded.automatic, "
    "decisions = excluded.decisions"};

#undef BDC_INSERT

// What is recorded of a closing so far.
inline constexpr sql::PostgresStatement kClosing{
    "resolution_closing",
    "SELECT conflict_id, decisions FROM resolutions "
    "WHERE space = $1::text AND op_id = $2::text FOR UPDATE"};
inline constexpr sql::PostgresStatement kDropRecords{
    "resolution_drop",
    "DELETE FROM resolutions WHERE (space, op_id) IN "
    "(SELECT * FROM unnest($1::text[], $2::text[]))"};

#define BDC_COLUMNS                                                          \
  "SELECT number, op_id, entity_type, entity_id, branch, base_version_id, "  \
  "theirs_version_id, user_id, device_id, time_ms, decisions, app_version, " \
  "rule_set_version, conflict_id, undone_by_version_id, space "
#define BDC_RESOLUTIONS BDC_COLUMNS "FROM resolutions "
// Those that came before have not used the bytes up; two come in any case.
#define BDC_LIST                                                                        \
  BDC_COLUMNS                                                                           \
  "FROM (SELECT *, row_number() OVER newest AS place, "                                 \
  "sum(octet_length(decisions)) OVER newest - octet_length(decisions) AS bytes_before " \
  "FROM resolutions "
#define BDC_OLDER "(time_ms, number) < ($2::int8, $3::int8) "
#define BDC_RESOLUTIONS_OF_SPACE BDC_LIST "WHERE space = $1::text AND " BDC_OLDER
#define BDC_NEWEST_FIRST                                                            \
  "WINDOW newest AS (ORDER BY time_ms DESC, number DESC ROWS UNBOUNDED PRECEDING) " \
  "ORDER BY time_ms DESC, number DESC LIMIT $4::int8) AS page "                     \
  "WHERE place <= 2 OR bytes_before <= $5::int8 ORDER BY time_ms DESC, number DESC"

inline constexpr sql::PostgresStatement kListSpace{"resolution_list_space",
                                                   BDC_RESOLUTIONS_OF_SPACE BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListType{"resolution_list_type", BDC_RESOLUTIONS_OF_SPACE
                                                  "AND entity_type = $6::text " BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListEntity{
    "resolution_list_entity", BDC_RESOLUTIONS_OF_SPACE
    "AND entity_type = $6::text AND entity_id = $7::text " BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListAll{
    "resolution_list_all", BDC_LIST "WHERE $1::text = '' AND " BDC_OLDER BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kGet{
    "resolution_get", BDC_RESOLUTIONS "WHERE space = $1::text AND op_id = $2::text"};

#undef BDC_COLUMNS
#undef BDC_LIST
#undef BDC_RESOLUTIONS
#undef BDC_OLDER
#undef BDC_RESOLUTIONS_OF_SPACE
#undef BDC_NEWEST_FIRST

// The first to undo a record stays the one.
inline constexpr sql::PostgresStatement kMarkUndone{
    "resolution_mark_undone",
    "UPDATE resolutions SET undone_by = CASE WHEN undone_by_version_id = '' THEN $4::text "
    "ELSE undone_by END, undone_by_version_id = CASE WHEN undone_by_version_id = '' "
    "THEN $3::text ELSE undone_by_version_id END "
    "WHERE space = $1::text AND op_id = $2::text RETURNING undone_by_version_id"};

}  // namespace bdcsync::conflict::postgres
