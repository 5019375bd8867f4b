// Rule sets ready for use, from their text. For tests.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "libs/json/parse.h"
#include "libs/rules/script_rules.h"
#include "libs/testing/status_matchers.h"
#include "services/conflict/active_rules.h"

namespace bdcsync::conflict {

// By entity type; all have the version.
inline std::shared_ptr<const ActiveRules> RulesOf(const std::map<std::string, std::string>& texts,
                                                  int64_t version = 1) {
  const rules::LuaCompiler compiler;
  ActiveRules::Sets sets;
  for (const auto& [type, text] : texts) {
    absl::StatusOr<merge::RuleSet> set =
        merge::ParseRuleSet(*json::Parse(text), {.scripts = &compiler});
    EXPECT_OK(set) << text;
    if (!set.ok()) continue;
    sets[type] = std::make_shared<const ActiveRuleSet>(ActiveRuleSet{version, *std::move(set)});
  }
  return std::make_shared<const ActiveRules>(std::move(sets));
}

}  // namespace bdcsync::conflict
