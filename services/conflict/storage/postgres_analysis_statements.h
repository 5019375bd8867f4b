// The SQL of the analysis in the PostgreSQL adapter. Constants only.
#pragma once

#include "libs/sql/postgres.h"
#include "services/conflict/storage/analysis_sql.h"

namespace bdcsync::conflict::postgres {

#define BDC_EACH(table) "json_array_elements(CAST(" #table ".places AS json)) AS p(value)"
#define BDC_ITEM(n) "(p.value ->> " #n ")"
#define BDC_C "COLLATE \"C\""
#define BDC_SOURCES(SPACE) \
  BDC_ANALYSIS_SOURCES(SPACE, "$2::int8", "$3::int8", "$4::text", "$5::int8")
#define BDC_ROWS(ENTITY) BDC_ANALYSIS_BY_ROW("$6::int8", "$7::int8", ENTITY, BDC_C)
#define BDC_PLACES BDC_ANALYSIS_BY_PLACE("$6::int8", BDC_EACH, BDC_ITEM, BDC_C)
#define BDC_GROUPS(LIMIT) BDC_ANALYSIS_GROUPS("$6::int8", LIMIT)
// Without a condition on the space its parameter is named all the same.
#define BDC_ALL "$1::text = '' AND "

inline constexpr sql::PostgresStatement kCountRows{
    "analysis_rows", BDC_SOURCES("space = $1::text AND ")
                         BDC_ROWS("entity_type || '/' || entity_id") BDC_GROUPS("$8::int8")};
inline constexpr sql::PostgresStatement kCountPlaces{
    "analysis_places", BDC_SOURCES("space = $1::text AND ") BDC_PLACES BDC_GROUPS("$7::int8")};
inline constexpr sql::PostgresStatement kCountAllRows{
    "analysis_all_rows",
    BDC_SOURCES(BDC_ALL) BDC_ROWS("space || '/' || entity_type || '/' || entity_id")
        BDC_GROUPS("$8::int8")};
inline constexpr sql::PostgresStatement kCountAllPlaces{
    "analysis_all_places", BDC_SOURCES(BDC_ALL) BDC_PLACES BDC_GROUPS("$7::int8")};
inline constexpr sql::PostgresStatement kOldest{
    "analysis_oldest",
    BDC_ANALYSIS_OLDEST("space = $1::text AND ", "$2::int8", "$3::int8", "$4::text", "$5::int8")};
inline constexpr sql::PostgresStatement kOldestOfAll{
    "analysis_all_oldest",
    BDC_ANALYSIS_OLDEST(BDC_ALL, "$2::int8", "$3::int8", "$4::text", "$5::int8")};

#undef BDC_EACH
#undef BDC_ITEM
#undef BDC_C
#undef BDC_SOURCES
#undef BDC_ROWS
#undef BDC_PLACES
#undef BDC_GROUPS
#undef BDC_ALL

}  // namespace bdcsync::conflict::postgres
