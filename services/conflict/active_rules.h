// The rule sets that hold, ready for use, at one moment. Immutable values: thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "libs/merge/rule_set.h"

namespace bdcsync::conflict {

struct ActiveRuleSet {
  int64_t version = 0;  // 0: the defaults.
  merge::RuleSet rules;
};

class ActiveRules {
 public:
  // Shared by the snapshots that hold it, never changed.
  using Sets = absl::flat_hash_map<std::string, std::shared_ptr<const ActiveRuleSet>>;

  ActiveRules() = default;
  explicit ActiveRules(Sets sets);

  // Of types without a rule set the defaults.
  const ActiveRuleSet& For(absl::string_view entity_type) const;
  bool has_scripts() const { return has_scripts_; }
  const Sets& sets() const { return sets_; }

 private:
  Sets sets_;
  bool has_scripts_ = false;
};

}  // namespace bdcsync::conflict
