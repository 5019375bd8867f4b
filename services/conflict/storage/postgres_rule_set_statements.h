// The SQL of the PostgreSQL adapter of rule sets. Every parameter names its type. Constants only.
#pragma once

#include "libs/sql/postgres.h"

namespace bdcsync::conflict::postgres {

// Locks the one row, so that changes of rule sets come one after the other.
inline constexpr sql::PostgresStatement kBumpRevision{
    "rules_bump", "UPDATE rule_set_changes SET revision = revision + 1"};
inline constexpr sql::PostgresStatement kRuleRevision{"rules_revision",
                                                      "SELECT revision FROM rule_set_changes"};
// The version that holds, the last version, and how many types have one that holds.
inline constexpr sql::PostgresStatement kRuleStanding{
    "rules_standing",
    "SELECT (SELECT version FROM rule_sets WHERE entity_type = $1::text AND active), "
    "(SELECT max(version) FROM rule_sets WHERE entity_type = $1::text), "
    "(SELECT count(*) FROM rule_sets WHERE active)"};
inline constexpr sql::PostgresStatement kRetireRules{
    "rules_retire",
    "UPDATE rule_sets SET active = false, removed_by = $2::text "
    "WHERE entity_type = $1::text AND active"};
inline constexpr sql::PostgresStatement kInsertRules{
    "rules_insert",
    "INSERT INTO rule_sets (entity_type, version, rules, author, time_ms, active) "
    "VALUES ($1::text, $2::int8, $3::bytea, $4::text, $5::int8, true)"};

#define BDC_RULE_SETS \
  "SELECT entity_type, version, rules, author, time_ms, active, removed_by FROM rule_sets "
inline constexpr sql::PostgresStatement kGetRules{
    "rules_get", BDC_RULE_SETS "WHERE entity_type = $1::text AND version = $2::int8"};
inline constexpr sql::PostgresStatement kGetHoldingRules{
    "rules_get_holding", BDC_RULE_SETS "WHERE entity_type = $1::text AND active"};
inline constexpr sql::PostgresStatement kLatestRulesOf{
    "rules_latest_of", BDC_RULE_SETS
    "WHERE entity_type = $1::text AND author = $2::text ORDER BY version DESC LIMIT 1"};
inline constexpr sql::PostgresStatement kListHoldingRules{
    "rules_list_holding",
    BDC_RULE_SETS "WHERE active AND entity_type > $1::text ORDER BY entity_type LIMIT $2::int8"};
inline constexpr sql::PostgresStatement kListRuleVersions{
    "rules_list_versions", BDC_RULE_SETS
    "WHERE entity_type = $1::text AND version < $2::int8 ORDER BY version DESC LIMIT $3::int8"};
#undef BDC_RULE_SETS

}  // namespace bdcsync::conflict::postgres
