// Configuration keys of conflict. Constants only.
#pragma once

#include "absl/time/time.h"
#include "libs/config/schema.h"
#include "libs/script/limits.h"

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
inline constexpr config::Duration kClockSkewMax{
    .name = "conflict.clock_skew_max",
    .default_value = absl::Minutes(5),
    .max = absl::Hours(24),
    .doc =
        "Two writes whose times are nearer to each other than this are flagged when the times "
        "decided, for clients' clocks may be wrong by so much."};
inline constexpr config::Duration kAskDeadline{
    .name = "conflict.ask_deadline",
    .default_value = absl::Hours(72),
    .min = absl::Seconds(1),
    .doc = "How long a conflict waits for a person when the rule `ask` does not say."};
inline constexpr config::String kAskFallback{
    .name = "conflict.ask_fallback",
    .default_value = "proposed",
    .choices = "base,ours,proposed,theirs",
    .doc =
        "What is chosen at that deadline when the rule `ask` does not say; `proposed` is what "
        "would have been there had nobody been asked."};
inline constexpr config::String kRulesFile{
    .name = "conflict.rules_file",
    .doc =
        "A YAML or JSON file with the rule sets by entity type; empty: none. What changes in it "
        "is taken over."};
inline constexpr config::Duration kRulesRefreshInterval{
    .name = "conflict.rules_refresh_interval",
    .default_value = absl::Seconds(5),
    .min = absl::Milliseconds(10),
    .max = absl::Hours(1),
    .doc =
        "How often a replica looks whether other rule sets hold, should it have missed word of "
        "it, and whether the rules file has changed."};
inline constexpr config::Int kRuleTypesMax{.name = "conflict.rule_types_max",
                                           .default_value = 1000,
                                           .min = 0,
                                           .max = 100'000,
                                           .unit = "types",
                                           .doc = "Entity types that may have a rule set."};
inline constexpr config::Int kScriptInstructionsMax{
    .name = "conflict.script_instructions_max",
    .default_value = 2'000'000,
    .min = 1000,
    .max = static_cast<int64_t>(script::kInstructionsCeiling),
    .unit = "instructions",
    .doc = "Instructions of one run of a rule's script, about 5 ns each."};
inline constexpr config::Duration kScriptTimeMax{
    .name = "conflict.script_time_max",
    .default_value = absl::Seconds(2),
    .max = absl::Minutes(5),
    .doc =
        "Time for all scripts of one call; beyond it the `else` of their rules decides. Less "
        "than version waits for an answer."};
inline constexpr config::Bytes kScriptMemoryMax{
    .name = "conflict.script_memory_bytes_max",
    .default_value = 16 << 20,
    .min = static_cast<int64_t>(script::kMemoryBytesFloor),
    .max = static_cast<int64_t>(script::kMemoryBytesCeiling),
    .doc = "Memory of one run of a rule's script, with what it is given."};
inline constexpr config::Bytes kScriptOutputMax{
    .name = "conflict.script_output_bytes_max",
    .default_value = 1 << 20,
    .min = 1,
    .max = static_cast<int64_t>(script::kOutputBytesCeiling),
    .doc = "Size of what one run of a rule's script may return."};
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
