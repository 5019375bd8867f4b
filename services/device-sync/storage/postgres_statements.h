// The SQL of the PostgreSQL adapter. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::device_sync::postgres {

#define BDC_DEVICE_COLUMNS                                                                 \
  "d.user_id, d.device_id, d.client_name, d.client_version, d.platform, d.network::int8, " \
  "d.battery_percent::int8, d.charging, d.budget_bytes_per_s, d.registered_ms, "           \
  "d.last_seen_ms, d.signed_off, d.revoked_ms, d.registrations"

inline constexpr sql::PostgresStatement kPing{"device_ping", "SELECT 1"};

#define BDC_NAMED "unnest($1::text[], $2::text[]) AS n(user_id, device_id)"

inline constexpr sql::PostgresStatement kKnown{"device_known",
                                               "SELECT d.user_id, d.device_id FROM " BDC_NAMED
                                               " JOIN devices d USING (user_id, device_id)"};

// Until the end of the transaction nobody else adds devices to these users. A statement of its own:
// what waited is seen only by the statements that follow.
inline constexpr sql::PostgresStatement kHoldUsers{
    "device_hold_users",
    "SELECT count(pg_advisory_xact_lock(u.key)) FROM (SELECT DISTINCT hashtextextended(n.user_id, "
    "7265) AS key FROM unnest($1::text[]) AS n(user_id) ORDER BY key) u"};

inline constexpr sql::PostgresStatement kCounts{
    "device_counts",
    "SELECT u.user_id, (SELECT count(*) FROM devices d WHERE d.user_id = u.user_id) "
    "FROM (SELECT DISTINCT user_id FROM unnest($1::text[]) AS n(user_id)) u"};

// A revoked device keeps what it has, and is not returned.
inline constexpr sql::PostgresStatement kPut{
    "device_put",
    "WITH put AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], "
    "$6::int4[], $7::int4[], $8::bool[], $9::int8[], $10::bool[], $11::int8[]) "
    "AS p(user_id, device_id, client_name, client_version, platform, network, battery_percent, "
    "charging, budget_bytes_per_s, has_state, times)) "
    "INSERT INTO devices AS d (user_id, device_id, client_name, client_version, platform, network, "
    "battery_percent, charging, budget_bytes_per_s, registered_ms, last_seen_ms, signed_off, "
    "registrations) SELECT p.user_id, p.device_id, p.client_name, p.client_version, p.platform, "
    "p.network, p.battery_percent, p.charging, p.budget_bytes_per_s, $12::int8, $12::int8, false, "
    "p.times FROM put p ORDER BY p.user_id COLLATE \"C\", p.device_id COLLATE \"C\" "
    "ON CONFLICT (user_id, device_id) DO UPDATE SET client_name = excluded.client_name, "
    "client_version = excluded.client_version, platform = excluded.platform, "
    "(network, battery_percent, charging, budget_bytes_per_s, registrations) = ("
    "SELECT CASE WHEN p.has_state THEN p.network ELSE d.network END, "
    "CASE WHEN p.has_state THEN p.battery_percent ELSE d.battery_percent END, "
    "CASE WHEN p.has_state THEN p.charging ELSE d.charging END, "
    "CASE WHEN p.has_state THEN p.budget_bytes_per_s ELSE d.budget_bytes_per_s END, "
    "d.registrations + p.times FROM put p "
    "WHERE p.user_id = d.user_id AND p.device_id = d.device_id), "
    "last_seen_ms = GREATEST(d.last_seen_ms, excluded.last_seen_ms), signed_off = false "
    "WHERE d.revoked_ms = 0 RETURNING " BDC_DEVICE_COLUMNS};

inline constexpr sql::PostgresStatement kGetNamed{
    "device_get_named", "SELECT " BDC_DEVICE_COLUMNS " FROM " BDC_NAMED
                        " JOIN devices d ON d.user_id = n.user_id AND d.device_id = n.device_id"};

// Rows of the place among those asked for, from 1, and a space.
inline constexpr sql::PostgresStatement kSpaces{
    "device_spaces",
    "SELECT n.place, s.space FROM unnest($1::text[], $2::text[]) "
    "WITH ORDINALITY AS n(user_id, device_id, place), LATERAL (SELECT c.space FROM cursors c "
    "WHERE c.user_id = n.user_id AND c.device_id = n.device_id ORDER BY c.space LIMIT $3::int8) s "
    "ORDER BY n.place, s.space"};

#undef BDC_NAMED

inline constexpr sql::PostgresStatement kGet{
    "device_get", "SELECT " BDC_DEVICE_COLUMNS
                  " FROM devices d WHERE d.user_id = $1::text AND d.device_id = $2::text"};

inline constexpr sql::PostgresStatement kFirstPage{
    "device_first_page", "SELECT " BDC_DEVICE_COLUMNS
                         " FROM devices d WHERE d.user_id = $1::text "
                         "ORDER BY d.last_seen_ms DESC, d.device_id LIMIT $2::int8"};

inline constexpr sql::PostgresStatement kNextPage{
    "device_next_page",
    "SELECT " BDC_DEVICE_COLUMNS
    " FROM devices d WHERE d.user_id = $1::text "
    "AND d.last_seen_ms <= $3::int8 AND (d.last_seen_ms < $3::int8 OR d.device_id > $4::text) "
    "ORDER BY d.last_seen_ms DESC, d.device_id LIMIT $2::int8"};

inline constexpr sql::PostgresStatement kRemove{
    "device_remove",
    "DELETE FROM devices WHERE user_id = $1::text AND device_id = $2::text RETURNING device_id"};

inline constexpr sql::PostgresStatement kRemoveCursors{
    "device_remove_cursors",
    "DELETE FROM cursors WHERE user_id = $1::text AND device_id = $2::text"};

inline constexpr sql::PostgresStatement kRemovePurges{
    "device_remove_purges", "DELETE FROM purges WHERE user_id = $1::text AND device_id = $2::text"};

inline constexpr sql::PostgresStatement kRevoke{
    "device_revoke",
    "UPDATE devices d SET signed_off = true, "
    "revoked_ms = CASE WHEN d.revoked_ms = 0 THEN $3::int8 ELSE d.revoked_ms END "
    "WHERE d.user_id = $1::text AND d.device_id = $2::text RETURNING " BDC_DEVICE_COLUMNS};

#define BDC_PURGE_ITEMS                                                      \
  "WITH purge AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) " \
  "AS p(user_id, device_id, space))"

// Until the end of the transaction nobody else adds receipts to these devices. A statement of its
// own: what waited for the rows is seen only by the statements that follow.
inline constexpr sql::PostgresStatement kHoldForPurges{
    "device_hold_for_purges", BDC_PURGE_ITEMS
    " SELECT d.device_id FROM devices d WHERE (d.user_id, d.device_id) IN "
    "(SELECT user_id, device_id FROM purge) ORDER BY d.user_id, d.device_id FOR UPDATE OF d"};

// $5: how many receipts a device may have. New ones count in the order of the items.
inline constexpr sql::PostgresStatement kPutPurges{
    "device_put_purges",
    "INSERT INTO purges AS t (user_id, device_id, space, purged_ms) "
    "SELECT c.user_id, c.device_id, c.space, $4::int8 FROM (SELECT p.*, k.known, h.held + "
    "count(*) FILTER (WHERE k.known IS NULL) OVER (PARTITION BY p.user_id, p.device_id "
    "ORDER BY p.place) AS receipts FROM unnest($1::text[], $2::text[], $3::text[]) "
    "WITH ORDINALITY AS p(user_id, device_id, space, place) "
    "JOIN LATERAL (SELECT 1 FROM devices d WHERE d.user_id = p.user_id "
    "AND d.device_id = p.device_id LIMIT 1) d ON true "
    "LEFT JOIN LATERAL (SELECT true AS known FROM purges k WHERE k.user_id = p.user_id "
    "AND k.device_id = p.device_id AND k.space = p.space LIMIT 1) k ON true "
    "CROSS JOIN LATERAL (SELECT count(*) AS held FROM purges k WHERE k.user_id = p.user_id "
    "AND k.device_id = p.device_id) h) c WHERE c.known OR c.receipts <= $5::int8 "
    "ORDER BY c.user_id, c.device_id, c.space "
    "ON CONFLICT (user_id, device_id, space) DO UPDATE SET purged_ms = excluded.purged_ms"};

inline constexpr sql::PostgresStatement kForgetCursors{
    "device_forget_cursors", BDC_PURGE_ITEMS
    " DELETE FROM cursors c USING purge p WHERE c.user_id = p.user_id "
    "AND c.device_id = p.device_id AND (p.space = '' OR c.space = p.space)"};

#undef BDC_PURGE_ITEMS

inline constexpr sql::PostgresStatement kPurges{
    "device_purges",
    "SELECT device_id, space, purged_ms FROM purges WHERE user_id = $1::text "
    "AND device_id = ANY($2::text[]) ORDER BY device_id, space"};

inline constexpr sql::PostgresStatement kNote{
    "device_note",
    "WITH sign AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bool[], $4::bool[], $5::int4[],"
    " $6::int4[], $7::bool[], $8::int8[]) AS s(user_id, device_id, signed_off, has_state, network, "
    "battery_percent, charging, budget_bytes_per_s)), "
    "held AS (SELECT d.user_id, d.device_id FROM devices d JOIN sign USING (user_id, device_id) "
    "ORDER BY d.user_id, d.device_id FOR UPDATE OF d) "
    "UPDATE devices d SET last_seen_ms = GREATEST(d.last_seen_ms, $9::int8), "
    "signed_off = s.signed_off, "
    "network = CASE WHEN s.has_state THEN s.network ELSE d.network END, "
    "battery_percent = CASE WHEN s.has_state THEN s.battery_percent ELSE d.battery_percent END, "
    "charging = CASE WHEN s.has_state THEN s.charging ELSE d.charging END, "
    "budget_bytes_per_s = CASE WHEN s.has_state THEN s.budget_bytes_per_s "
    "ELSE d.budget_bytes_per_s END "
    "FROM sign s JOIN held USING (user_id, device_id) "
    "WHERE d.user_id = s.user_id AND d.device_id = s.device_id "
    "RETURNING d.user_id, d.device_id, d.revoked_ms"};

inline constexpr sql::PostgresStatement kPutCursors{
    "device_put_cursors",
    "WITH ack AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[]) "
    "AS a(user_id, device_id, space, epoch, seq)), "
    "held AS (SELECT d.user_id, d.device_id FROM devices d WHERE (d.user_id, d.device_id) IN "
    "(SELECT user_id, device_id FROM ack) ORDER BY d.user_id, d.device_id FOR SHARE OF d) "
    "INSERT INTO cursors AS c (user_id, device_id, space, epoch, seq) "
    "SELECT a.user_id, a.device_id, a.space, a.epoch, a.seq "
    "FROM ack a JOIN held USING (user_id, device_id) ORDER BY a.user_id, a.device_id, a.space "
    "ON CONFLICT (user_id, device_id, space) DO UPDATE "
    "SET epoch = excluded.epoch, seq = excluded.seq "
    "WHERE c.epoch <> excluded.epoch OR c.seq < excluded.seq"};

inline constexpr sql::PostgresStatement kCursors{
    "device_cursors",
    "SELECT space, epoch, seq FROM cursors WHERE user_id = $1::text AND device_id = $2::text "
    "ORDER BY space"};

#undef BDC_DEVICE_COLUMNS

}  // namespace bdcsync::device_sync::postgres
