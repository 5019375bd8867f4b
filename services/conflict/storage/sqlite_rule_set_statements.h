// The SQL of the SQLite adapter of rule sets. Constants only.
#pragma once

namespace bdcsync::conflict::sqlite {

inline constexpr char kBumpRevision[] = "UPDATE rule_set_changes SET revision = revision + 1";
inline constexpr char kRuleRevision[] = "SELECT revision FROM rule_set_changes";
// The version that holds, the last version, and how many types have one that holds.
inline constexpr char kRuleStanding[] =
    "SELECT (SELECT version FROM rule_sets WHERE entity_type = ?1 AND active = 1), "
    "(SELECT max(version) FROM rule_sets WHERE entity_type = ?1), "
    "(SELECT count(*) FROM rule_sets WHERE active = 1)";
inline constexpr char kRetireRules[] =
    "UPDATE rule_sets SET active = 0, removed_by = ?2 WHERE entity_type = ?1 AND active = 1";
inline constexpr char kInsertRules[] =
    "INSERT INTO rule_sets (entity_type, version, rules, author, time_ms, active) "
    "VALUES (?1, ?2, ?3, ?4, ?5, 1)";

#define BDC_RULE_SETS \
  "SELECT entity_type, version, rules, author, time_ms, active, removed_by FROM rule_sets "
inline constexpr char kGetRules[] = BDC_RULE_SETS "WHERE entity_type = ?1 AND version = ?2";
inline constexpr char kGetHoldingRules[] = BDC_RULE_SETS "WHERE entity_type = ?1 AND active = 1";
inline constexpr char kLatestRulesOf[] =
    BDC_RULE_SETS "WHERE entity_type = ?1 AND author = ?2 ORDER BY version DESC LIMIT 1";
inline constexpr char kListHoldingRules[] =
    BDC_RULE_SETS "WHERE active = 1 AND entity_type > ?1 ORDER BY entity_type LIMIT ?2";
inline constexpr char kListRuleVersions[] =
    BDC_RULE_SETS "WHERE entity_type = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3";
#undef BDC_RULE_SETS

}  // namespace bdcsync::conflict::sqlite
