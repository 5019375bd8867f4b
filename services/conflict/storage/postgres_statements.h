// The SQL of the PostgreSQL adapter. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::conflict::postgres {

inline constexpr sql::PostgresStatement kPing{"resolution_ping", "SELECT 1"};

// The keys of a batch must differ.
inline constexpr sql::PostgresStatement kPut{
    "resolution_put",
    "INSERT INTO resolutions AS r (space, op_id, entity_type, entity_id, branch, base_version_id, "
    "theirs_version_id, user_id, device_id, time_ms, decisions) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[], $9::text[], $10::int8[], $11::bytea[]) "
    "ON CONFLICT (space, op_id) DO UPDATE SET entity_type = excluded.entity_type, "
    "entity_id = excluded.entity_id, branch = excluded.branch, "
    "base_version_id = excluded.base_version_id, "
    "theirs_version_id = excluded.theirs_version_id, user_id = excluded.user_id, "
    "device_id = excluded.device_id, time_ms = excluded.time_ms, decisions = excluded.decisions "
    "RETURNING 1"};

#define BDC_RESOLUTIONS_OF_SPACE                                                \
  "SELECT number, op_id, entity_type, entity_id, branch, base_version_id, "     \
  "theirs_version_id, user_id, device_id, time_ms, decisions FROM resolutions " \
  "WHERE space = $1::text AND number < $2::int8 "
#define BDC_NEWEST_FIRST "ORDER BY number DESC LIMIT $3::int8"

inline constexpr sql::PostgresStatement kListSpace{"resolution_list_space",
                                                   BDC_RESOLUTIONS_OF_SPACE BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListType{"resolution_list_type", BDC_RESOLUTIONS_OF_SPACE
                                                  "AND entity_type = $4::text " BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListEntity{
    "resolution_list_entity", BDC_RESOLUTIONS_OF_SPACE
    "AND entity_type = $4::text AND entity_id = $5::text " BDC_NEWEST_FIRST};

#undef BDC_RESOLUTIONS_OF_SPACE
#undef BDC_NEWEST_FIRST

}  // namespace bdcsync::conflict::postgres
