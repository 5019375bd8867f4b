// The SQL of the analysis, one text for both stores, so that both give the same answers. What they
// write differently is given by who uses it, as string literals. Macros only.
//
// SPACE is the condition on the space, e.g. "space = ?1 AND "; FROM_MS, TO_MS, TYPE, RECORDS, BY,
// BUCKET, LIMIT are parameters; EACH(table) is the table of the elements of table.places, and
// ITEM(n) what stands at n in one of them; C makes a text compared by bytes.
#pragma once

// The newest records and conflicts of the time asked for. A conflict whose change may never have
// been committed is none yet.
#define BDC_ANALYSIS_SOURCES(SPACE, FROM_MS, TO_MS, TYPE, RECORDS)                               \
  "WITH recent AS (SELECT number AS id, space, entity_type, entity_id, device_id, app_version, " \
  "time_ms, automatic, places, CASE WHEN undone_by_version_id = '' THEN 0 ELSE 1 END AS "        \
  "reversed FROM resolutions WHERE " SPACE "time_ms >= " FROM_MS " AND time_ms < " TO_MS         \
  " AND (" TYPE " = '' OR entity_type = " TYPE ") ORDER BY time_ms DESC LIMIT " RECORDS          \
  "), opened AS (SELECT conflict_id AS id, space, entity_type, entity_id, device_id, "           \
  "app_version, opened_ms AS time_ms, places, CASE WHEN state = 4 THEN 1 ELSE 0 END AS "         \
  "resolved, CASE WHEN state = 5 THEN 1 ELSE 0 END AS expired, "                                 \
  "CASE WHEN closed_ms > 0 THEN closed_ms - opened_ms END AS wait_ms "                           \
  "FROM conflicts WHERE " SPACE "opened_ms >= " FROM_MS " AND opened_ms < " TO_MS                \
  " AND state <> 1 AND (" TYPE " = '' OR entity_type = " TYPE                                    \
  ") ORDER BY opened_ms DESC LIMIT " RECORDS "), "

// By what the row of a record or conflict says itself.
#define BDC_ANALYSIS_KEY(BY, BUCKET, ENTITY, C)                                     \
  "CASE " BY                                                                        \
  " WHEN 1 THEN entity_type WHEN 4 THEN device_id WHEN 5 THEN app_version "         \
  "WHEN 6 THEN CAST(time_ms / " BUCKET " * " BUCKET " AS text) WHEN 7 THEN " ENTITY \
  " ELSE '' END " C
#define BDC_ANALYSIS_BY_ROW(BY, BUCKET, ENTITY, C) \
  "counted AS (SELECT " BDC_ANALYSIS_KEY(BY, BUCKET, ENTITY, C) " AS name, automatic, "  \
  "0 AS asked, 0 AS resolved, 0 AS expired, reversed, NULL AS wait_ms FROM recent "       \
  "UNION ALL SELECT " BDC_ANALYSIS_KEY(BY, BUCKET, ENTITY, C)                             \
  ", 0, 1, resolved, expired, 0, wait_ms FROM opened), "

// By what is said of the places; a record or conflict counts once for each group it is in.
#define BDC_ANALYSIS_NAME(BY, ITEM, C) "CASE " BY " WHEN 2 THEN " ITEM(0) " ELSE " ITEM(1) " END " C
#define BDC_ANALYSIS_BY_PLACE(BY, EACH, ITEM, C) \
  "counted AS (SELECT name, CAST(SUM(automatic) AS bigint) AS automatic, 0 AS asked, "         \
  "0 AS resolved, 0 AS expired, MAX(reversed) AS reversed, NULL AS wait_ms FROM "              \
  "(SELECT recent.id, " BDC_ANALYSIS_NAME(BY, ITEM, C) " AS name, CAST(" ITEM(2)               \
  " AS bigint) AS automatic, reversed FROM recent CROSS JOIN " EACH(recent)                    \
  ") AS part GROUP BY id, name UNION ALL SELECT name, 0, 1, resolved, expired, 0, wait_ms "    \
  "FROM (SELECT DISTINCT opened.id, " BDC_ANALYSIS_NAME(BY, ITEM, C)                           \
  " AS name, resolved, expired, wait_ms FROM opened CROSS JOIN " EACH(opened) ") AS part), "

// Groups with the median, the slowest tenth and the slowest hundredth: the value at a place in the
// order, so that both stores agree to the millisecond.
#define BDC_ANALYSIS_MARK(PERCENT) \
  "MAX(CASE WHEN place = (waits * " PERCENT " + 99) / 100 THEN wait_ms END)"
#define BDC_ANALYSIS_GROUPS(BY, LIMIT) \
  "sums AS (SELECT name, CAST(SUM(automatic) AS bigint) AS automatic, "                          \
  "CAST(SUM(asked) AS bigint) AS asked, CAST(SUM(resolved) AS bigint) AS resolved, "             \
  "CAST(SUM(expired) AS bigint) AS expired, CAST(SUM(reversed) AS bigint) AS reversed "          \
  "FROM counted GROUP BY name), waited AS (SELECT name, wait_ms, "                               \
  "row_number() OVER (PARTITION BY name ORDER BY wait_ms) AS place, "                            \
  "count(*) OVER (PARTITION BY name) AS waits FROM counted WHERE wait_ms IS NOT NULL), "         \
  "marks AS (SELECT name, " BDC_ANALYSIS_MARK("50") " AS p50, " BDC_ANALYSIS_MARK("90")          \
  " AS p90, " BDC_ANALYSIS_MARK("99") " AS p99 FROM waited GROUP BY name) "                      \
  "SELECT sums.name, automatic, asked, resolved, expired, reversed, coalesce(p50, 0), "          \
  "coalesce(p90, 0), coalesce(p99, 0) FROM sums LEFT JOIN marks ON marks.name = sums.name "      \
  "ORDER BY CASE WHEN " BY " = 6 THEN CAST(sums.name AS bigint) ELSE automatic + asked END "     \
  "DESC, sums.name LIMIT " LIMIT

// The last of RECORDS newest rows and the one behind it, if there is one.
#define BDC_ANALYSIS_LAST(TIME, TABLE, SPACE, FROM_MS, TO_MS, TYPE, RECORDS)               \
  "SELECT max(time_ms) AS oldest, count(*) AS rows_there FROM (SELECT " TIME               \
  " AS time_ms "                                                                           \
  "FROM " TABLE " WHERE " SPACE TIME " >= " FROM_MS " AND " TIME " < " TO_MS " AND (" TYPE \
  " = '' OR entity_type = " TYPE ") ORDER BY " TIME " DESC LIMIT 2 OFFSET " RECORDS        \
  " - 1) AS "                                                                              \
  "last_" TABLE

// From when on all is counted, where some is not; NULL: all is.
#define BDC_ANALYSIS_OLDEST(SPACE, FROM_MS, TO_MS, TYPE, RECORDS)                                 \
  "SELECT max(CASE WHEN rows_there = 2 THEN oldest END) FROM (" BDC_ANALYSIS_LAST(                \
      "time_ms", "resolutions", SPACE, FROM_MS, TO_MS, TYPE,                                      \
      RECORDS) " UNION ALL " BDC_ANALYSIS_LAST("opened_ms", "conflicts", "state <> 1 AND " SPACE, \
                                               FROM_MS, TO_MS, TYPE, RECORDS) ") AS kinds"
