#include "services/conflict/active_rules.h"

#include <utility>

namespace bdcsync::conflict {

ActiveRules::ActiveRules(Sets sets) : sets_(std::move(sets)) {
  for (const auto& [type, set] : sets_) has_scripts_ = has_scripts_ || set->rules.has_scripts();
}

const ActiveRuleSet& ActiveRules::For(absl::string_view entity_type) const {
  static const auto& defaults = *new ActiveRuleSet;
  const auto found = sets_.find(entity_type);
  return found == sets_.end() ? defaults : *found->second;
}

}  // namespace bdcsync::conflict
