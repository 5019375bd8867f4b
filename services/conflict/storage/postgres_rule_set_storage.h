// Rule sets in PostgreSQL, for any number of replicas. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "libs/base/clock.h"
#include "services/conflict/rule_set_storage.h"

namespace bdcsync::conflict {

// Brings the schema up to date. `clock` is borrowed.
absl::StatusOr<std::unique_ptr<RuleSetStorage>> OpenPostgresRuleSetStorage(const std::string& url,
                                                                           const Clock& clock);

}  // namespace bdcsync::conflict
