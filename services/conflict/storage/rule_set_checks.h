// What every storage of rule sets asks of a new one. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "services/conflict/rule_set_storage.h"

namespace bdcsync::conflict {

// What is known of a type when a new version is put.
struct RuleSetStanding {
  int64_t holding_version = 0;  // 0: none holds.
  int64_t last_version = 0;     // 0: there never was one.
  int64_t types = 0;            // With a set that holds.
};
// As RuleSetStorage::Put says.
absl::Status CheckNewRuleSet(const NewRuleSet& added, const RuleSetStanding& standing);

std::vector<v1::RuleSet> SetsOf(std::vector<StoredRuleSet> stored);

}  // namespace bdcsync::conflict
