// Tries a rule set on what was recorded. A record holds the places where changes met, not the
// documents, so the rules are tried on documents of those places alone; moves of elements cannot be
// tried, and rules `remote` are tried as their `else`. Pure. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "bdcsync/conflict/v1/conflict.pb.h"
#include "libs/merge/script_port.h"
#include "services/conflict/active_rules.h"

namespace bdcsync::conflict {

// The rule set of the request, ready for use. kInvalidArgument at the place at fault.
absl::StatusOr<std::shared_ptr<const ActiveRules>> RulesToTry(const v1::DryRunRequest& request,
                                                              const merge::ScriptCompiler& scripts);

// Decides `record` again by `tried`, and adds what comes to `response`.
void TryRules(const v1::Resolution& record, const ActiveRules& tried, size_t matching_work_max,
              v1::DryRunResponse& response);

}  // namespace bdcsync::conflict
