// Configuration keys of the conflict desk. Constants only.
#pragma once

#include "libs/config/schema.h"

namespace bdcsync::conflict {

inline constexpr config::Duration kOpeningGrace{
    .name = "conflict.opening_grace",
    .default_value = absl::Seconds(10),
    .min = absl::Seconds(1),
    .max = absl::Hours(1),
    .doc = "A conflict that is opening for longer is compared with the log: was it committed?"};
inline constexpr config::Duration kVerifyInterval{
    .name = "conflict.verify_interval",
    .default_value = absl::Minutes(1),
    .min = absl::Seconds(1),
    .max = absl::Hours(24),
    .doc = "How often each open conflict is compared with the log."};
inline constexpr config::Int kDueSteppedOverMax{
    .name = "conflict.due_stepped_over_max",
    .default_value = 1000,
    .min = 0,
    .max = 100'000,
    .unit = "conflicts",
    .doc =
        "Conflicts that are due but could not be closed, over which those that are due later are "
        "reached. Behind more than these they wait."};
inline constexpr config::Int kDeskPostgresConnectionsMax{
    .name = "conflict.desk_postgres_connections_max",
    .default_value = 4,
    .min = 1,
    .max = 1000,
    .unit = "connections",
    .doc =
        "Connections that the conflict desk opens to PostgreSQL at once, beside those that "
        "record decisions."};

inline constexpr config::Duration kUndoWindow{
    .name = "conflict.undo_window",
    .default_value = absl::Hours(24),
    .min = absl::Seconds(1),
    .max = absl::Hours(24 * 365),
    .doc = "For so long after it was recorded a resolution can be taken back."};
inline constexpr config::Int kAnalysisRecordsMax{
    .name = "conflict.analysis_records_max",
    .default_value = 1'000'000,
    .min = 1000,
    .max = 100'000'000,
    .unit = "records",
    .doc = "Records, and conflicts, that one analysis counts: the newest."};
inline constexpr config::Duration kRecordsRetention{
    .name = "conflict.records_retention",
    .default_value = absl::ZeroDuration(),
    .max = absl::Hours(24 * 3650),
    .doc = "Records of resolutions and closed conflicts that are older are deleted; 0s: none is."};

}  // namespace bdcsync::conflict
