// Configuration keys of conflict. Constants only.
#pragma once

#include "libs/config/schema.h"

namespace bdcsync::conflict {

inline constexpr config::Int kDecisionsMax{
    .name = "conflict.decisions_max",
    .default_value = 256,
    .min = 1,
    .max = 256,
    .unit = "decisions",
    .doc = "Decisions kept apart for one meeting; more are kept as one about the whole value."};
inline constexpr config::Int kMatchingWorkMax{
    .name = "conflict.matching_work_max",
    .default_value = 1'000'000,
    .min = 1000,
    .max = 1'000'000'000,
    .unit = "steps",
    .doc = "Steps for matching the elements of one array with those of its base."};
inline constexpr config::Int kRecordBatchMax{
    .name = "conflict.record_batch_items_max",
    .default_value = 256,
    .min = 1,
    .max = 4096,
    .unit = "calls",
    .doc = "Calls whose decisions are recorded in one transaction."};
inline constexpr config::Int kRecordQueueMax{
    .name = "conflict.record_queue_items_max",
    .default_value = 4096,
    .min = 1,
    .max = 1'000'000,
    .unit = "calls",
    .doc = "Calls that wait for their record; more are refused as unavailable."};
inline constexpr config::Int kPostgresConnectionsMax{
    .name = "conflict.postgres_connections_max",
    .default_value = 4,
    .min = 1,
    .max = 1000,
    .unit = "connections",
    .doc = "Connections that conflict opens to PostgreSQL at once."};

}  // namespace bdcsync::conflict
