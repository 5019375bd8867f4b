// The SQL of the analysis in the SQLite adapter. Constants only.
#pragma once

#include "services/conflict/storage/analysis_sql.h"

namespace bdcsync::conflict::sqlite {

#define BDC_EACH(table) "json_each(" #table ".places) AS p"
#define BDC_ITEM(n) "json_extract(p.value, '$[" #n "]')"
#define BDC_SOURCES(SPACE) BDC_ANALYSIS_SOURCES(SPACE, "?2", "?3", "?4", "?5")

inline constexpr char kCountRows[] = BDC_SOURCES("space = ?1 AND ") BDC_ANALYSIS_BY_ROW(
    "?6", "?7", "entity_type || '/' || entity_id", "") BDC_ANALYSIS_GROUPS("?6", "?8");
inline constexpr char kCountPlaces[] = BDC_SOURCES("space = ?1 AND ")
    BDC_ANALYSIS_BY_PLACE("?6", BDC_EACH, BDC_ITEM, "") BDC_ANALYSIS_GROUPS("?6", "?8");
inline constexpr char kCountAllRows[] = BDC_SOURCES("")
    BDC_ANALYSIS_BY_ROW("?6", "?7", "space || '/' || entity_type || '/' || entity_id", "")
        BDC_ANALYSIS_GROUPS("?6", "?8");
inline constexpr char kCountAllPlaces[] = BDC_SOURCES("")
    BDC_ANALYSIS_BY_PLACE("?6", BDC_EACH, BDC_ITEM, "") BDC_ANALYSIS_GROUPS("?6", "?8");
inline constexpr char kOldest[] = BDC_ANALYSIS_OLDEST("space = ?1 AND ", "?2", "?3", "?4", "?5");
inline constexpr char kOldestOfAll[] = BDC_ANALYSIS_OLDEST("", "?2", "?3", "?4", "?5");

#undef BDC_EACH
#undef BDC_ITEM
#undef BDC_SOURCES

}  // namespace bdcsync::conflict::sqlite
