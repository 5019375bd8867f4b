#include "services/conflict/storage/rule_set_checks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/errors.h"

namespace bdcsync::conflict {

absl::Status CheckNewRuleSet(const NewRuleSet& added, const RuleSetStanding& standing) {
  if (added.expected_version && *added.expected_version != standing.holding_version) {
    return MakeErrorAt(Reason::kPreconditionFailed, kExpectedVersion,
                       standing.holding_version == 0
                           ? "no rule set holds"
                           : absl::StrCat("version ", standing.holding_version, " holds"));
  }
  if (standing.holding_version == 0 && standing.types >= added.types_max) {
    return MakeErrorAt(Reason::kQuotaExceeded, "entity_type",
                       absl::StrCat(standing.types, " entity types have rules; no more can"));
  }
  return absl::OkStatus();
}

std::vector<v1::RuleSet> SetsOf(std::vector<StoredRuleSet> stored) {
  std::vector<v1::RuleSet> sets;
  sets.reserve(stored.size());
  for (StoredRuleSet& each : stored) sets.push_back(std::move(each.set));
  return sets;
}

}  // namespace bdcsync::conflict
