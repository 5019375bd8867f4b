// The SQL of conflicts in the PostgreSQL adapter. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::conflict::postgres {

// The keys of a batch must differ.
#define BDC_PUT_CONFLICTS                                                                       \
  "INSERT INTO conflicts (conflict_id, space, entity_type, entity_id, device_id, app_version, " \
  "places, assigned_to, state, opened_ms, deadline_ms, closed_ms, verified_ms, data, choices) " \
  "SELECT c.*, ''::bytea FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], "          \
  "$5::text[], $6::text[], $7::text[], $8::text[], $9::int2[], $10::int8[], $11::int8[], "      \
  "$12::int8[], $13::int8[], $14::bytea[]) AS c "                                               \
  "ON CONFLICT (conflict_id) DO UPDATE SET device_id = excluded.device_id, "                    \
  "app_version = excluded.app_version, opened_ms = excluded.opened_ms, "                        \
  "deadline_ms = excluded.deadline_ms, closed_ms = excluded.closed_ms, "                        \
  "verified_ms = excluded.verified_ms, places = excluded.places, data = excluded.data"

// Operations that are decided again before the log is known to hold their conflicts.
inline constexpr sql::PostgresStatement kOpenConflicts{
    "conflicts_open", BDC_PUT_CONFLICTS " WHERE conflicts.state = 1"};
// What the log holds. It closes a conflict once.
inline constexpr sql::PostgresStatement kHoldConflicts{
    "conflicts_hold", BDC_PUT_CONFLICTS
    ", state = CASE WHEN excluded.state > 3 THEN excluded.state "
    "WHEN conflicts.assigned_to = '' THEN 2::int2 ELSE 3::int2 END, "
    "choices = CASE WHEN excluded.state > 3 THEN ''::bytea ELSE conflicts.choices END "
    "WHERE conflicts.state < 4"};
#undef BDC_PUT_CONFLICTS

inline constexpr sql::PostgresStatement kForgetConflicts{
    "conflicts_forget", "DELETE FROM conflicts WHERE conflict_id = ANY($1::text[]) AND state = 1"};
inline constexpr sql::PostgresStatement kGetConflicts{
    "conflicts_get",
    "SELECT state, assigned_to, data, choices FROM conflicts WHERE conflict_id = ANY($1::text[])"};

#define BDC_CONFLICTS_OF_STATES                                                          \
  "SELECT c.conflict_id, c.opened_ms, c.bytes FROM unnest($2::int2[]) AS wanted(state) " \
  "CROSS JOIN LATERAL (SELECT conflict_id, opened_ms, octet_length(data) AS bytes "      \
  "FROM conflicts WHERE space = $1::text AND conflicts.state = wanted.state "            \
  "AND (opened_ms, conflict_id) < ($3::int8, $4::text) "
#define BDC_NEWEST_FIRST                                            \
  "ORDER BY opened_ms DESC, conflict_id DESC LIMIT $5::int8) AS c " \
  "ORDER BY c.opened_ms DESC, c.conflict_id DESC LIMIT $5::int8"
inline constexpr sql::PostgresStatement kListConflicts{"conflicts_list",
                                                       BDC_CONFLICTS_OF_STATES BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListConflictsOfType{
    "conflicts_list_type", BDC_CONFLICTS_OF_STATES "AND entity_type = $6::text " BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListConflictsOfEntity{
    "conflicts_list_entity", BDC_CONFLICTS_OF_STATES
    "AND entity_type = $6::text AND entity_id = $7::text "
    "AND ($8::text = '' OR assigned_to = $8::text) " BDC_NEWEST_FIRST};
inline constexpr sql::PostgresStatement kListConflictsOfAssignee{
    "conflicts_list_assignee", BDC_CONFLICTS_OF_STATES
    "AND assigned_to = $7::text AND assigned_to <> '' "
    "AND ($6::text = '' OR entity_type = $6::text) " BDC_NEWEST_FIRST};
#undef BDC_CONFLICTS_OF_STATES
#undef BDC_NEWEST_FIRST

inline constexpr sql::PostgresStatement kListDeadlines{
    "conflicts_deadlines",
    "SELECT conflict_id, deadline_ms, octet_length(data) FROM conflicts "
    "WHERE state IN (2, 3) AND deadline_ms <= $1::int8 ORDER BY deadline_ms LIMIT $2::int8"};
inline constexpr sql::PostgresStatement kListUncertain{
    "conflicts_uncertain",
    "SELECT conflict_id, verified_ms, octet_length(data) FROM conflicts "
    "WHERE state = $3::int2 AND state IN (1, 2, 3) AND verified_ms <= $1::int8 "
    "ORDER BY verified_ms LIMIT $2::int8"};
inline constexpr sql::PostgresStatement kNextDeadline{
    "conflicts_next_deadline",
    "SELECT deadline_ms FROM conflicts WHERE state IN (2, 3) AND deadline_ms > $1::int8 "
    "ORDER BY deadline_ms LIMIT 1"};

inline constexpr sql::PostgresStatement kAssign{
    "conflicts_assign",
    "UPDATE conflicts SET assigned_to = $2::text, "
    "state = CASE WHEN state = 1 THEN 1::int2 WHEN $2::text = '' THEN 2::int2 ELSE 3::int2 END "
    "WHERE conflict_id = $1::text AND state < 4"};
inline constexpr sql::PostgresStatement kKeepChoices{
    "conflicts_keep_choices",
    "UPDATE conflicts SET choices = $2::bytea "
    "WHERE conflict_id = $1::text AND choices = $3::bytea AND state < 4"};
inline constexpr sql::PostgresStatement kCountOpen{
    "conflicts_count_open",
    "SELECT count(*), coalesce(min(opened_ms), 0) FROM conflicts "
    "WHERE state = $1::int2 AND state IN (1, 2, 3)"};

inline constexpr sql::PostgresStatement kDeleteRecords{
    "resolutions_delete",
    "DELETE FROM resolutions WHERE ctid = ANY (ARRAY(SELECT ctid FROM resolutions "
    "WHERE time_ms < $1::int8 ORDER BY time_ms LIMIT $2::int8))"};
inline constexpr sql::PostgresStatement kDeleteConflicts{
    "conflicts_delete",
    "DELETE FROM conflicts WHERE conflict_id = ANY (ARRAY(SELECT conflict_id FROM conflicts "
    "WHERE opened_ms < $1::int8 AND closed_ms > 0 AND closed_ms < $1::int8 "
    "ORDER BY opened_ms LIMIT $2::int8))"};

}  // namespace bdcsync::conflict::postgres
