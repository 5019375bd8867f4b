// The SQL of the PostgreSQL adapter. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::device_sync::postgres {

#define BDC_DEVICE_COLUMNS                                                                 \
  "d.user_id, d.device_id, d.client_name, d.client_version, d.platform, d.network::int8, " \
  "d.battery_percent::int8, d.charging, d.budget_bytes_per_s, d.registered_ms, "           \
  "d.last_seen_ms, d.signed_off"

inline constexpr sql::PostgresStatement kPing{"device_ping", "SELECT 1"};

inline constexpr sql::PostgresStatement kOwner{
    "device_owner", "SELECT user_id, removed FROM devices WHERE device_id = $1::text FOR UPDATE"};

inline constexpr sql::PostgresStatement kCount{
    "device_count", "SELECT count(*) FROM devices WHERE user_id = $1::text AND NOT removed"};

// $11: whether state was given; a device that was removed starts anew. No row: another user's.
inline constexpr sql::PostgresStatement kPut{
    "device_put",
    "INSERT INTO devices AS d (device_id, user_id, client_name, client_version, platform, network, "
    "battery_percent, charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off, "
    "removed) VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::int4, $7::int4, "
    "$8::bool, $9::int8, $10::int8, $10::int8, false, false) "
    "ON CONFLICT (device_id) DO UPDATE SET client_name = excluded.client_name, "
    "client_version = excluded.client_version, platform = excluded.platform, "
    "network = CASE WHEN $11::bool OR d.removed THEN excluded.network ELSE d.network END, "
    "battery_percent = CASE WHEN $11::bool OR d.removed THEN excluded.battery_percent "
    "ELSE d.battery_percent END, "
    "charging = CASE WHEN $11::bool OR d.removed THEN excluded.charging ELSE d.charging END, "
    "budget_bytes_per_s = CASE WHEN $11::bool OR d.removed THEN excluded.budget_bytes_per_s "
    "ELSE d.budget_bytes_per_s END, "
    "registered_ms = CASE WHEN d.removed THEN excluded.registered_ms ELSE d.registered_ms END, "
    "last_seen_ms = GREATEST(d.last_seen_ms, excluded.last_seen_ms), "
    "signed_off = false, removed = false "
    "WHERE d.user_id = excluded.user_id RETURNING " BDC_DEVICE_COLUMNS};

inline constexpr sql::PostgresStatement kGet{
    "device_get", "SELECT " BDC_DEVICE_COLUMNS
                  " FROM devices d WHERE d.device_id = $1::text AND d.user_id = $2::text "
                  "AND NOT d.removed"};

inline constexpr sql::PostgresStatement kFirstPage{
    "device_first_page", "SELECT " BDC_DEVICE_COLUMNS
                         " FROM devices d WHERE d.user_id = $1::text AND NOT d.removed "
                         "ORDER BY d.last_seen_ms DESC, d.device_id LIMIT $2::int8"};

inline constexpr sql::PostgresStatement kNextPage{
    "device_next_page",
    "SELECT " BDC_DEVICE_COLUMNS
    " FROM devices d WHERE d.user_id = $1::text AND NOT d.removed "
    "AND d.last_seen_ms <= $3::int8 AND (d.last_seen_ms < $3::int8 OR d.device_id > $4::text) "
    "ORDER BY d.last_seen_ms DESC, d.device_id LIMIT $2::int8"};

inline constexpr sql::PostgresStatement kRemove{
    "device_remove",
    "UPDATE devices SET removed = true, client_name = '', client_version = '', platform = '' "
    "WHERE device_id = $1::text AND user_id = $2::text RETURNING device_id"};

inline constexpr sql::PostgresStatement kRemoveCursors{
    "device_remove_cursors", "DELETE FROM cursors WHERE device_id = $1::text"};

inline constexpr sql::PostgresStatement kNote{
    "device_note",
    "WITH sign AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bool[], $4::bool[], $5::int4[],"
    " $6::int4[], $7::bool[], $8::int8[]) AS s(device_id, user_id, signed_off, has_state, network, "
    "battery_percent, charging, budget_bytes_per_s)), "
    "held AS (SELECT d.device_id FROM devices d JOIN sign USING (device_id, user_id) "
    "WHERE NOT d.removed ORDER BY d.device_id FOR UPDATE OF d) "
    "UPDATE devices d SET last_seen_ms = GREATEST(d.last_seen_ms, $9::int8), "
    "signed_off = s.signed_off, "
    "network = CASE WHEN s.has_state THEN s.network ELSE d.network END, "
    "battery_percent = CASE WHEN s.has_state THEN s.battery_percent ELSE d.battery_percent END, "
    "charging = CASE WHEN s.has_state THEN s.charging ELSE d.charging END, "
    "budget_bytes_per_s = CASE WHEN s.has_state THEN s.budget_bytes_per_s "
    "ELSE d.budget_bytes_per_s END "
    "FROM sign s JOIN held USING (device_id) "
    "WHERE d.device_id = s.device_id AND d.user_id = s.user_id RETURNING 1"};

inline constexpr sql::PostgresStatement kPutCursors{
    "device_put_cursors",
    "WITH ack AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[]) "
    "AS a(device_id, user_id, space, epoch, seq)), "
    "held AS (SELECT d.device_id, d.user_id FROM devices d WHERE NOT d.removed AND d.device_id IN "
    "(SELECT device_id FROM ack) ORDER BY d.device_id FOR SHARE OF d) "
    "INSERT INTO cursors AS c (device_id, space, epoch, seq) "
    "SELECT a.device_id, a.space, a.epoch, a.seq FROM ack a JOIN held USING (device_id, user_id) "
    "ORDER BY a.device_id, a.space "
    "ON CONFLICT (device_id, space) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq "
    "WHERE c.epoch <> excluded.epoch OR c.seq < excluded.seq"};

inline constexpr sql::PostgresStatement kCursors{
    "device_cursors",
    "SELECT c.space, c.epoch, c.seq FROM devices d JOIN cursors c USING (device_id) "
    "WHERE d.device_id = $1::text AND d.user_id = $2::text AND NOT d.removed ORDER BY c.space"};

#undef BDC_DEVICE_COLUMNS

}  // namespace bdcsync::device_sync::postgres
