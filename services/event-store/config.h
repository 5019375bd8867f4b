// Configuration keys of event-store. Constants only.
#pragma once

#include "absl/time/time.h"
#include "libs/config/schema.h"
#include "services/event-store/limits.h"

namespace bdcsync::event_store {

inline constexpr config::StringMap kLogDsns{
    .name = "storage.log_dsns",
    .doc =
        "Ranges of logs on PostgreSQL servers of their own, as 0-31=postgresql://…; together "
        "they name every log once and stand in for storage.url in event-store.",
    .secret = true};
inline constexpr config::Int kLogCount{
    .name = "event_store.log_count",
    .default_value = 0,
    .min = 0,
    .max = kLogCountMax,
    .unit = "logs",
    .doc =
        "Logs that spaces are spread over; fixed when a store is created. 0 is what an existing "
        "store has, as many as storage.log_dsns names, and 16 for a new store; another number is "
        "checked at start. As many PostgreSQL servers can share the work at most."};
inline constexpr config::Int kWriters{
    .name = "event_store.writers",
    .default_value = 0,
    .min = 0,
    .max = 64,
    .unit = "connections",
    .doc =
        "Commits that PostgreSQL may work on at once; SQLite has one. 0 is half the "
        "processors, from one to four, and one for each server of storage.log_dsns. With one, a "
        "large batch that comes alone is two commits at once."};
inline constexpr config::Int kReaders{.name = "event_store.readers",
                                      .default_value = 8,
                                      .min = 1,
                                      .max = 1000,
                                      .unit = "connections",
                                      .doc = "Connections to PostgreSQL that read at once."};
inline constexpr config::Int kBatchItemsMax{
    .name = "event_store.batch_items_max",
    .default_value = 512,
    .min = 1,
    .max = kAppendItemsMax,
    .unit = "items",
    .doc = "Items of several calls that share a commit; one larger call is a commit of its own."};
inline constexpr config::Int kQueuedItemsMax{
    .name = "event_store.queued_items_max",
    .default_value = 65536,
    .min = 1,
    .max = 10000000,
    .unit = "items",
    .doc = "Items that wait for a writer, each; more are answered with unavailable."};
inline constexpr config::Bytes kCacheBytes{
    .name = "event_store.stream_cache_bytes",
    .default_value = 64 << 20,
    .min = 1 << 20,
    .max = int64_t{1} << 40,
    .doc = "Stream heads that each writer remembers; a miss costs a read."};
inline constexpr config::Bytes kSqlitePageCache{
    .name = "event_store.sqlite_cache_bytes",
    .default_value = kSqliteCacheBytes,
    .min = 1 << 20,
    .max = int64_t{1} << 40,
    .doc = "Pages of SQLite's file that the writer keeps in memory."};
inline constexpr config::Duration kOperationWindow{
    .name = "event_store.operation_window",
    .default_value = absl::Hours(24 * 7),
    .min = absl::Minutes(1),
    .max = absl::Hours(24 * 3650),
    .doc = "How long a repeated op_id gets its first answer; later it may be forgotten."};
inline constexpr config::Duration kSweepInterval{
    .name = "event_store.sweep_interval",
    .default_value = absl::Minutes(1),
    .min = absl::Seconds(1),
    .max = absl::Hours(24),
    .doc = "How often operation keys older than the window are deleted."};
inline constexpr config::Bytes kSweepBytes{
    .name = "event_store.sweep_bytes_max",
    .default_value = kSweepBytesMax,
    .min = 1 << 20,
    .max = int64_t{1} << 40,
    .doc =
        "PostgreSQL's operation keys that one sweep looks at, from where the last one ended; some "
        "80 bytes are a key. With more operations than sweeps go through, keys outlive the window "
        "and their table grows."};
inline constexpr config::Duration kHeadCheckInterval{
    .name = "event_store.head_check_interval",
    .default_value = absl::Seconds(1),
    .min = absl::Milliseconds(10),
    .max = absl::Minutes(1),
    .doc = "How late a subscriber is told at most when the bus lost a message."};

}  // namespace bdcsync::event_store
